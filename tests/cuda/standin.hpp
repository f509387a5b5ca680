// What the library in the place of libcuda remembers: devices, contexts, memory, streams, and the call that is to fail.
//
// Streams do nothing until somebody waits for them, so that a call that relies on its work being done when it returns is
// found out, and so is one whose arguments are gone by then. Memory ends where a page begins that may not be touched.
#pragma once
#include "device.hpp"
#include "shim.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace standin {

enum Status { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_FOUND = 500 };

inline long setting(const char *name, long otherwise) {
    const char *text = std::getenv(name);
    return text ? std::atol(text) : otherwise;
}

// How many devices there are, bytes of memory of each, how many the last of them claims, whether they allocate in the
// order of streams, the driver's version, their compute capability.
struct Settings {
    long devices = setting("STANDIN_DEVICES", 2), memory = setting("STANDIN_MEMORY", 8l << 30);
    long claimed = setting("STANDIN_CLAIMED", memory), pools = setting("STANDIN_POOLS", 1);
    long version = setting("STANDIN_VERSION", 12000), capability = setting("STANDIN_CAPABILITY", 75);
};

struct Context {
    int device;
    int retained = 0;
};

struct Stream {
    Context *context;
};

struct Allocation {
    Device<char> memory;
    size_t bytes;
    int device;
    bool ordered;
};

struct Module {
    Context *context;
    std::string text;
};

struct Function {
    const Module *module;
    std::string name;
    size_t allowed = 48 << 10;
};

// A call in the order in which the test counts them; cleaning up is done even where it is said to have failed.
struct Failing {
    long calls = 0, at = 0;
    int status = 0;
};

struct State {
    std::recursive_mutex mutex;
    Settings settings;
    int process = 0; // that initialised
    std::map<int, Context> contexts;
    std::map<unsigned long long, Allocation> memory;
    long launches = 0;
    std::set<Stream *> streams;
    std::deque<std::function<void()>> queue;
    Failing failing;

    long used(int device) const {
        long sum = 0;
        for (const auto &one : memory) sum += one.second.device == device ? long(one.second.bytes) : 0;
        return sum;
    }
    void flush() {
        while (!queue.empty()) {
            const auto work = std::move(queue.front());
            queue.pop_front();
            work();
        }
    }
};

inline State &state() {
    static State s;
    return s;
}

inline std::vector<Context *> &stack() {
    static thread_local std::vector<Context *> contexts;
    return contexts;
}
inline Context *current() { return stack().empty() ? nullptr : stack().back(); }

// Memory of a device: NaN at first. 256 bytes are its alignment, so that the end may be up to 255 bytes off the page.
inline int allocate(unsigned long long *address, size_t bytes, bool ordered) {
    State &s = state();
    if (!bytes) return INVALID_VALUE;
    if (s.used(current()->device) + long(bytes) > s.settings.memory) return OUT_OF_MEMORY;
    const size_t whole = (bytes + 255) / 256 * 256;
    Allocation one{Device<char>(whole), bytes, current()->device, ordered};
    *address = reinterpret_cast<unsigned long long>(one.memory.data());
    s.memory.emplace(*address, std::move(one));
    return OK;
}

// The allocation that an address is in.
inline const Allocation *find(unsigned long long address) {
    State &s = state();
    auto next = s.memory.upper_bound(address);
    if (next == s.memory.begin()) return nullptr;
    const auto &found = *--next;
    return address < found.first + found.second.bytes ? &found.second : nullptr;
}

inline int release(unsigned long long address, bool ordered) {
    State &s = state();
    const auto found = s.memory.find(address);
    if (found == s.memory.end() || found->second.ordered != ordered) return INVALID_VALUE;
    const Allocation &one = found->second;
    for (size_t i = one.bytes; i < one.memory.size(); i++) {
        if (one.memory.data()[i] != char(0xff)) {
            std::fprintf(stderr, "stand-in: memory of %zu bytes was written to beyond its end\n", one.bytes);
            std::abort();
        }
    }
    s.memory.erase(found);
    return OK;
}

// Counts a call, and says whether it is the one to fail.
inline int counted() {
    Failing &f = state().failing;
    return ++f.calls == f.at ? f.status : OK;
}

} // namespace standin

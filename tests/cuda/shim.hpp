// Stands in for CUDA, for tests alone: a .cu file compiles as C++17 behind this header, and its blocks run on the CPU,
// deterministically.
//
// Every CUDA thread is a fiber. It runs until it meets a collective (a barrier, a shuffle) and parks there; once all
// lanes that the mask names have parked at the same one, they go on. What it sees:
//   - divergence: lanes at different collectives, a lane that has left, a mask that names lanes which are not there;
//   - deadlock;
//   - a missing barrier, in two ways: lanes and warps run in the order that `Order` says, as far apart as barriers
//     allow; and `Watched` keeps for every word of shared memory who touched it since the last barrier;
//   - use before a value was given: shared memory begins as NaN;
//   - accesses past the end of shared memory (Watched) and of global memory (guard pages, see device.hpp).
#pragma once
#include <csetjmp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>
#include <sys/mman.h>
#include <ucontext.h>

#define GOURSAT_SHIM 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
#define GOURSAT_DYNAMIC_SHARED(name) char *name = shim::current->block->shared.data()

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

namespace shim {

// Of lanes between collectives, and of warps between barriers.
enum class Order { forward, backward, shuffled };

struct Options {
    Order order = Order::forward;
    unsigned resident = 1; // blocks that run at once
};

enum class Wait { none, block, warp, exchange, spin, left };

struct Block;
struct Fiber {
    jmp_buf context;
    ucontext_t start;
    bool started = false;
    Wait wait = Wait::none;
    int line = 0;
    unsigned mask = 0;
    // What the lane offers, alternately: it may be one exchange ahead of a lane that still reads.
    uint64_t offer[2][2] = {{0, 0}, {0, 0}};
    int turn = 0, ready = 0;
    Block *block = nullptr;
    dim3 thread;
    unsigned lane = 0;
};

// Who touched a word of shared memory, and in which epoch: barriers end epochs.
struct Touch {
    uint32_t writer = ~0u, reader = ~0u;
    uint64_t written = ~0ull, read = ~0ull;
    bool many_readers = false;
};

struct Block {
    dim3 index;
    std::vector<char> shared;
    std::vector<Touch> touches;
    std::unique_ptr<Fiber[]> fibers;
    unsigned count = 0;
    std::vector<uint64_t> warp_epochs; // barriers that each warp has passed, of its own
    uint64_t epoch = 0;                // and all of them together
};

inline thread_local Fiber *current = nullptr;
inline thread_local jmp_buf scheduler;
inline thread_local const std::function<void()> *body = nullptr;
inline thread_local dim3 grid_dim, block_dim;

[[noreturn]] inline void fail(const char *what, const Fiber &f) {
    std::fprintf(stderr, "shim: %s: block %u, thread %u, line %d, mask %08x\n", what, f.block->index.x, f.thread.x,
                 f.line, f.mask);
    std::abort();
}

inline void park(Wait wait, int line, unsigned mask) {
    Fiber *me = current;
    me->wait = wait;
    me->line = line;
    me->mask = mask;
    if (!_setjmp(me->context)) _longjmp(scheduler, 1);
}

inline void entry() {
    (*body)();
    current->wait = Wait::left;
    _longjmp(scheduler, 1);
}

inline void resume(Fiber &f) {
    current = &f;
    f.wait = Wait::none;
    if (!_setjmp(scheduler)) {
        if (f.started) _longjmp(f.context, 1);
        f.started = true;
        setcontext(&f.start);
    }
    current = nullptr;
}

// Whether all lanes of the mask wait at the collective where `f` does; fails where they never will.
inline bool all_there(Fiber *lanes, unsigned n, const Fiber &f) {
    if (!(f.mask >> f.lane & 1)) fail("a lane that is not in its own mask", f);
    if (n < 32 && f.mask >> n) fail("the mask names lanes that do not exist", f);
    bool all = true;
    for (unsigned j = 0; j < n; j++) {
        if (!(f.mask >> j & 1)) continue;
        const Fiber &g = lanes[j];
        if (g.wait == Wait::left) fail("a lane that the mask names has left the kernel", f);
        if (g.wait == Wait::block) fail("divergence: another lane waits at __syncthreads", f);
        if (g.wait == Wait::spin || g.wait == Wait::none) {
            all = false;
        } else if (g.wait != f.wait || g.line != f.line || g.mask != f.mask) {
            fail("divergence: lanes wait at different collectives", g);
        }
    }
    return all;
}

// Completes what can be completed in one warp; true if a lane may run on.
inline bool settle(Fiber *lanes, unsigned n) {
    bool progress = false;
    for (unsigned i = 0; i < n; i++) {
        Fiber &f = lanes[i];
        if (f.wait == Wait::spin) {
            f.wait = Wait::none;
            progress = true;
        }
        if (f.wait != Wait::warp && f.wait != Wait::exchange) continue;
        if (!all_there(lanes, n, f)) continue;
        const unsigned mask = f.mask;
        if (f.wait == Wait::warp) f.block->warp_epochs[f.thread.x / 32]++;
        for (unsigned j = 0; j < n; j++) {
            if (!(mask >> j & 1)) continue;
            lanes[j].wait = Wait::none;
            lanes[j].ready = lanes[j].turn;
        }
        progress = true;
    }
    return progress;
}

inline uint64_t next_random(uint64_t &s) {
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return s >> 11;
}

// One warp runs as far as it can, or, shuffled, one collective far; true if it moved.
inline bool run_warp(Fiber *lanes, unsigned n, Order way, uint64_t &seed) {
    bool moved = false, again = true;
    unsigned order[32];
    while (again) {
        for (unsigned i = 0; i < n; i++) order[i] = way == Order::backward ? n - 1 - i : i;
        if (way == Order::shuffled) {
            for (unsigned i = n; i > 1; i--) std::swap(order[i - 1], order[next_random(seed) % i]);
        }
        bool ran = false, spins = false;
        for (unsigned i = 0; i < n; i++) {
            if (lanes[order[i]].wait != Wait::none) continue;
            resume(lanes[order[i]]);
            ran = moved = true;
        }
        for (unsigned i = 0; i < n; i++) spins |= lanes[i].wait == Wait::spin;
        again = settle(lanes, n);
        moved |= again;
        if (spins || !ran || way == Order::shuffled) again = false;
    }
    return moved;
}

// Lets a block go on whose threads all wait at __syncthreads.
inline bool pass_barrier(Block &b) {
    unsigned waiting = 0, left = 0;
    int line = 0;
    for (unsigned i = 0; i < b.count; i++) {
        left += b.fibers[i].wait == Wait::left;
        if (b.fibers[i].wait != Wait::block) continue;
        waiting++;
        if (line && b.fibers[i].line != line) fail("divergence: threads wait at different __syncthreads", b.fibers[i]);
        line = b.fibers[i].line;
    }
    if (!waiting || waiting + left != b.count) return false;
    if (left) fail("divergence: __syncthreads after a thread has left", b.fibers[0]);
    for (unsigned i = 0; i < b.count; i++) b.fibers[i].wait = Wait::none;
    b.epoch++;
    return true;
}

inline bool is_done(const Block &b) {
    for (unsigned i = 0; i < b.count; i++) {
        if (b.fibers[i].wait != Wait::left) return false;
    }
    return true;
}

inline void run_blocks(std::vector<std::unique_ptr<Block>> &blocks, Order way) {
    uint64_t seed = 88172645463325252ull;
    for (;;) {
        bool live = false, moved = false;
        for (auto &b : blocks) {
            const unsigned warps = (b->count + 31) / 32;
            for (unsigned v = 0; v < warps; v++) {
                const unsigned first = 32 * (way == Order::backward ? warps - 1 - v : v);
                if (way == Order::shuffled && next_random(seed) % 2) {
                    moved = true;
                    continue;
                }
                const unsigned n = b->count - first < 32 ? b->count - first : 32;
                moved |= run_warp(&b->fibers[first], n, way, seed);
            }
            moved |= pass_barrier(*b);
            live |= !is_done(*b);
        }
        if (!live) return;
        if (!moved) {
            for (auto &b : blocks) {
                for (unsigned i = 0; i < b->count; i++) {
                    if (b->fibers[i].wait != Wait::left) fail("deadlock", b->fibers[i]);
                }
            }
        }
    }
}

constexpr size_t STACK = 128 << 10;

inline char *stack(size_t number) {
    static thread_local std::vector<char *> stacks;
    while (number >= stacks.size()) {
        void *p = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) std::abort();
        stacks.push_back(static_cast<char *>(p));
    }
    return stacks[number];
}

inline std::unique_ptr<Block> make_block(unsigned index, unsigned threads, size_t shared, size_t &stacks) {
    auto b = std::make_unique<Block>();
    b->index = dim3(index);
    b->count = threads;
    b->fibers.reset(new Fiber[threads]);
    b->shared.assign((shared + 15) / 16 * 16, char(0xff)); // NaN
    b->touches.resize(b->shared.size() / 4);
    b->warp_epochs.resize((threads + 31) / 32);
    for (unsigned t = 0; t < threads; t++) {
        Fiber &f = b->fibers[t];
        f.block = b.get();
        f.thread = dim3(t);
        f.lane = t & 31;
        getcontext(&f.start);
        f.start.uc_stack.ss_sp = stack(stacks++);
        f.start.uc_stack.ss_size = STACK;
        f.start.uc_link = nullptr;
        makecontext(&f.start, entry, 0);
    }
    return b;
}

inline void launch(unsigned grid, unsigned threads, size_t shared, const std::function<void()> &kernel,
                   Options options = {}) {
    body = &kernel;
    grid_dim = dim3(grid);
    block_dim = dim3(threads);
    for (unsigned next = 0; next < grid;) {
        std::vector<std::unique_ptr<Block>> blocks;
        size_t stacks = 0;
        for (unsigned r = 0; r < options.resident && next < grid; r++) {
            blocks.push_back(make_block(next++, threads, shared, stacks));
        }
        run_blocks(blocks, options.order);
    }
}

// The one primitive under every shuffle: offer 16 bytes at most, see everyone's.
template <class V, class F> auto exchange(int line, unsigned mask, V mine, F read) {
    static_assert(sizeof(V) <= 16, "an offer has 16 bytes");
    Fiber *me = current, *warp = me - me->lane;
    me->turn ^= 1;
    std::memcpy(me->offer[me->turn], &mine, sizeof mine);
    park(Wait::exchange, line, mask);
    return read([&](unsigned lane) {
        V v;
        std::memcpy(&v, warp[lane].offer[warp[lane].ready], sizeof v);
        return v;
    });
}

template <class T> T shuffle(int line, unsigned mask, T v, unsigned source, bool valid) {
    return exchange(line, mask, v, [&](auto get) {
        if (valid && !(mask >> source & 1)) fail("a shuffle reads a lane outside its mask", *current);
        return valid ? get(source) : v;
    });
}

// c += a b for tiles of 8 × 4 and 4 × 8 doubles, laid out over the lanes as mma.m8n8k4 has them.
template <class C> void multiply_8x8x4(C &c, double a, double b, int line = __builtin_LINE()) {
    struct Pair {
        double a, b;
    };
    const unsigned row = current->lane / 4, share = current->lane % 4;
    exchange(line, ~0u, Pair{a, b}, [&](auto get) {
        for (unsigned j = 0; j < 2; j++) {
            for (unsigned k = 0; k < 4; k++) c.v[j] = std::fma(get(row * 4 + k).a, get((share * 2 + j) * 4 + k).b, c.v[j]);
        }
        return 0;
    });
}

// A barrier that thread `a` has passed since `epoch`, and that `me` has passed too.
inline bool conflicts(uint32_t other, uint64_t epoch) {
    const uint32_t me = current->thread.x;
    if (other == ~0u || other == me) return false;
    const Block &b = *current->block;
    const uint64_t of_block = epoch >> 32, of_warp = epoch & 0xffffffffu;
    return of_block == b.epoch && (other / 32 != me / 32 || of_warp == b.warp_epochs[me / 32]);
}

inline uint64_t now() {
    const Block &b = *current->block;
    return b.epoch << 32 | (b.warp_epochs[current->thread.x / 32] & 0xffffffffu);
}

inline void note_read(Touch &t) {
    if (conflicts(t.writer, t.written)) fail("race: reads what another thread wrote, no barrier between", *current);
    t.many_readers = t.read == now() && (t.many_readers || t.reader != current->thread.x);
    t.reader = current->thread.x;
    t.read = now();
}

inline void note_write(Touch &t) {
    const bool read_by_others = t.many_readers && (t.read >> 32) == current->block->epoch && t.read == now();
    if (read_by_others || conflicts(t.reader, t.read)) {
        fail("race: writes what another thread read, no barrier between", *current);
    }
    if (conflicts(t.writer, t.written)) fail("race: two threads write, no barrier between", *current);
    t.writer = current->thread.x;
    t.written = now();
}

template <class F> void touch(const void *p, size_t bytes, F note) {
    Block &b = *current->block;
    const size_t at = size_t(static_cast<const char *>(p) - b.shared.data());
    if (at + bytes > b.shared.size()) fail("access outside shared memory", *current);
    for (size_t word = at / 4; word < (at + bytes + 3) / 4; word++) note(b.touches[word]);
}

// A pointer to shared memory that notes every access.
template <class T> struct Watched {
    T *at;
    explicit Watched(void *memory = nullptr) : at(static_cast<T *>(memory)) {}
    Watched operator+(int n) const { return Watched(at + n); }

    struct Element {
        T *at;
        operator T() const {
            touch(at, sizeof(T), note_read);
            return *at;
        }
        Element &operator=(const T &value) {
            touch(at, sizeof(T), note_write);
            *at = value;
            return *this;
        }
        Element &operator=(const Element &other) { return *this = T(other); }
    };
    Element operator[](int i) const { return Element{at + i}; }
};

} // namespace shim

#define threadIdx (shim::current->thread)
#define blockIdx (shim::current->block->index)
#define blockDim (shim::block_dim)
#define gridDim (shim::grid_dim)

// Collectives are told apart by their line.
#define SHIM_LINE int line = __builtin_LINE()

inline void __syncthreads(SHIM_LINE) { shim::park(shim::Wait::block, line, 0); }
inline void __syncwarp(unsigned mask = ~0u, SHIM_LINE) { shim::park(shim::Wait::warp, line, mask); }

template <class T> T __shfl_sync(unsigned m, T v, int from, int w = 32, SHIM_LINE) {
    const unsigned l = shim::current->lane;
    return shim::shuffle(line, m, v, (l & ~(w - 1)) | (from & (w - 1)), true);
}
template <class T> T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, SHIM_LINE) {
    const unsigned l = shim::current->lane;
    return shim::shuffle(line, m, v, l - d, (l & (w - 1)) >= d);
}
template <class T> T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, SHIM_LINE) {
    const unsigned l = shim::current->lane;
    return shim::shuffle(line, m, v, l + d, (l & (w - 1)) + d < unsigned(w));
}
template <class T> T __shfl_xor_sync(unsigned m, T v, unsigned x, int w = 32, SHIM_LINE) {
    const unsigned l = shim::current->lane;
    return shim::shuffle(line, m, v, l ^ x, ((l ^ x) & ~(w - 1)) == (l & ~(w - 1)));
}

template <class T> unsigned __match_any_sync(unsigned m, T v, SHIM_LINE) {
    return shim::exchange(line, m, v, [&](auto get) {
        unsigned same = 0;
        for (unsigned l = 0; l < 32; l++) {
            if (m >> l & 1 && get(l) == v) same |= 1u << l;
        }
        return same;
    });
}

inline int __ffs(int v) { return __builtin_ffs(v); }
inline unsigned atomicAdd(unsigned *p, unsigned v) {
    const unsigned old = *p;
    *p += v;
    return old;
}
inline void __threadfence() {}
inline void __nanosleep(unsigned) { shim::park(shim::Wait::spin, 0, 0); }
using std::fma;

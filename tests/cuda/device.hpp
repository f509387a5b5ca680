// Memory of the make-believe device: every buffer ends where a page begins that may not be touched, so that what reads or
// writes past its end dies; it begins as NaN (or as huge numbers), so that what reads too early shows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>
#include <sys/mman.h>
#include <unistd.h>

template <class T> class Device {
public:
    explicit Device(size_t count = 0) : count_(count) {
        if (!count) return;
        const size_t page = size_t(sysconf(_SC_PAGESIZE)), bytes = count * sizeof(T);
        mapped_ = (bytes + page - 1) / page * page + page;
        void *p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) std::abort();
        base_ = static_cast<char *>(p);
        if (mprotect(base_ + mapped_ - page, page, PROT_NONE)) std::abort();
        // Types of 16 bytes at most: the end of the last element is the end of the page where sizes allow it.
        data_ = reinterpret_cast<T *>(base_ + mapped_ - page - bytes);
        std::memset(static_cast<void *>(data_), 0xff, bytes);
    }
    explicit Device(const std::vector<T> &host) : Device(host.size()) {
        if (count_) std::memcpy(static_cast<void *>(data_), host.data(), count_ * sizeof(T));
    }
    Device(Device &&o) noexcept { swap(o); }
    Device &operator=(Device &&o) noexcept {
        swap(o);
        return *this;
    }
    Device(const Device &) = delete;
    ~Device() {
        if (base_) munmap(base_, mapped_);
    }
    void zero() {
        if (count_) std::memset(static_cast<void *>(data_), 0, count_ * sizeof(T));
    }
    T *data() const { return data_; }
    size_t size() const { return count_; }
    std::vector<T> host() const { return std::vector<T>(data_, data_ + count_); }

private:
    void swap(Device &o) {
        std::swap(base_, o.base_);
        std::swap(mapped_, o.mapped_);
        std::swap(data_, o.data_);
        std::swap(count_, o.count_);
    }
    char *base_ = nullptr;
    size_t mapped_ = 0;
    T *data_ = nullptr;
    size_t count_ = 0;
};

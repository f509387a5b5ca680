// What every kernel needs. No header of the host's is included: NVRTC compiles it as it is, and so does g++ behind
// tests/cuda/shim.hpp, which takes the place of CUDA in the tests.
#pragma once

#ifndef GOURSAT_SHIM
#define GOURSAT_DYNAMIC_SHARED(name) extern __shared__ __align__(16) char name[]
#endif

namespace goursat {

constexpr unsigned FULL = 0xffffffffu;
constexpr int WARP = 32;

// Numbers in shared memory. Tests watch every access, so that a missing barrier is seen (shim::Watched).
#ifdef GOURSAT_SHIM
template <class T> using Shared = shim::Watched<T>;
#else
template <class T> struct Shared {
    T *at;
    __device__ __forceinline__ explicit Shared(void *memory = nullptr) : at(static_cast<T *>(memory)) {}
    __device__ __forceinline__ T &operator[](int i) const { return at[i]; }
    __device__ __forceinline__ Shared operator+(int n) const { return Shared(at + n); }
};
#endif

// Of 16 bytes, to be read at once.
template <class T> struct alignas(16) Chunk {
    T v[16 / sizeof(T)];
};

// Hands results from one warp to another through global memory: all that the writer's lanes wrote before `publish` is
// seen by the lanes that have awaited it.
#ifdef GOURSAT_SHIM
inline unsigned load_acquire(const unsigned *p) { return *p; }
inline void store_release(unsigned *p, unsigned v) { *p = v; }
#else
__device__ __forceinline__ unsigned load_acquire(const unsigned *p) {
    unsigned v;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
    return v;
}
__device__ __forceinline__ void store_release(unsigned *p, unsigned v) {
    asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory");
}
#endif

__device__ __forceinline__ void await(const unsigned *progress, unsigned wanted) {
    while (load_acquire(progress) < wanted) __nanosleep(64);
    __syncwarp();
}

__device__ __forceinline__ void publish(unsigned *progress, unsigned done, int lane) {
    __threadfence();
    __syncwarp();
    if (lane == 0) store_release(progress, done);
}

// The next number of a counter, the same for all lanes of a warp.
__device__ __forceinline__ unsigned draw(unsigned *ticket, int lane) {
    unsigned number = 0;
    if (lane == 0) number = atomicAdd(ticket, 1u);
    return __shfl_sync(FULL, number, 0);
}

__device__ __forceinline__ int most(int a, int b) { return a > b ? a : b; }
__device__ __forceinline__ int least(int a, int b) { return a < b ? a : b; }

// Adds to a sum and what rounding took from it (Kahan 1965). Compiled without contraction and reassociation.
template <class T> struct Compensated {
    T sum, rest;
    __device__ __forceinline__ T add(T increment) {
        const T more = increment + rest, total = sum + more;
        rest = more - (total - sum);
        sum = total;
        return total;
    }
};

} // namespace goursat

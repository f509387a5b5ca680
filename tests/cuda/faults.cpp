// Faults planted in small kernels: that the shim, the guard pages and the NaN of shared memory see them is what the
// other tests rest on. Each runs in a child, which has to die, but for the sound kernel.
#include "device.hpp"
#include "shim.hpp"
#include "../../kernels/common.cuh"

#include <string>
#include <sys/wait.h>

using goursat::Shared;

static float *device;          // 64 numbers that end where memory ends
float result[64];            // for all to see: not to be optimised away

static void sound() {
    GOURSAT_DYNAMIC_SHARED(memory);
    const Shared<float> s(memory);
    const unsigned t = threadIdx.x;
    s[int(t)] = device[t];
    __syncthreads();
    result[t] = s[int(t ^ 33)] + __shfl_up_sync(~0u, float(t), 1);
}
static void no_block_barrier() {
    GOURSAT_DYNAMIC_SHARED(memory);
    const Shared<float> s(memory);
    s[int(threadIdx.x)] = 1;
    result[threadIdx.x] = s[int(threadIdx.x ^ 33)];
}
static void no_warp_barrier() {
    GOURSAT_DYNAMIC_SHARED(memory);
    const Shared<float> s(memory);
    s[int(threadIdx.x)] = 1;
    __shfl_up_sync(~0u, 1.0f, 1); // a shuffle orders no memory
    result[threadIdx.x] = s[int(threadIdx.x ^ 1)];
}
static void write_after_read() {
    GOURSAT_DYNAMIC_SHARED(memory);
    const Shared<float> s(memory);
    s[int(threadIdx.x)] = 1;
    __syncwarp();
    result[threadIdx.x] = s[int(threadIdx.x ^ 1)];
    s[int(threadIdx.x)] = 2;
}
static void beyond_shared() {
    GOURSAT_DYNAMIC_SHARED(memory);
    const Shared<float> s(memory);
    s[64] = 1;
}
static void beyond_global() { result[threadIdx.x] = device[threadIdx.x + 1]; }
static void divergence() {
    if (threadIdx.x % 2) __syncwarp();
    else __shfl_up_sync(~0u, 1.0f, 1);
}
static void left_early() {
    if (threadIdx.x % 32 == 5) return;
    __syncwarp();
}
static void different_barriers() {
    if (threadIdx.x < 32) __syncthreads();
    else __syncwarp();
    if (threadIdx.x >= 32) __syncthreads();
}
static void not_in_mask() { __syncwarp(1u); }
static void uninitialised() {
    GOURSAT_DYNAMIC_SHARED(memory);
    const Shared<float> s(memory);
    const float v = s[int(threadIdx.x)];
    if (v != v) std::abort(); // NaN, as any result that it goes into would be
}

// Whether the kernel comes to its end, in all orders.
static bool survives(void (*kernel)()) {
    const pid_t child = fork();
    if (child == 0) {
        if (!std::freopen("/dev/null", "w", stderr)) _exit(1);
        for (auto order : {shim::Order::forward, shim::Order::backward, shim::Order::shuffled}) {
            shim::launch(1, 64, 64 * sizeof(float), kernel, {order, 1});
        }
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main() {
    Device<float> memory(64);
    device = memory.data();
    const struct {
        const char *name;
        void (*kernel)();
        bool sound;
    } cases[] = {
        {"a sound kernel", sound, true},
        {"no __syncthreads between warps", no_block_barrier, false},
        {"no __syncwarp between lanes", no_warp_barrier, false},
        {"no __syncwarp before a write", write_after_read, false},
        {"past the end of shared memory", beyond_shared, false},
        {"past the end of global memory", beyond_global, false},
        {"lanes at different collectives", divergence, false},
        {"a lane that has left", left_early, false},
        {"warps at different barriers", different_barriers, false},
        {"a lane that is not in its mask", not_in_mask, false},
        {"shared memory that nobody wrote", uninitialised, false},
    };
    int wrong = 0;
    for (const auto &c : cases) {
        if (survives(c.kernel) == c.sound) continue;
        wrong++;
        std::fprintf(stderr, "%s: %s\n", c.name, c.sound ? "died" : "was not seen");
    }
    std::printf("faults: %zu planted, %d not judged rightly\n", sizeof cases / sizeof *cases - 1, wrong);
    return wrong != 0;
}

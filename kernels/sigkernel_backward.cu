#include "sigkernel_backward.cuh"

#define BACKWARD(name, T, D, R, S, LL, GRID)                                                           \
    extern "C" __global__ void __launch_bounds__(128) name(goursat::WaveArgs<T> args) {                                \
        GOURSAT_DYNAMIC_SHARED(memory);                                                                                \
        goursat::Backward<T, D, R, S, LL, GRID>::run(args, memory);                                    \
    }
#include "sigkernel_backward.list"
#undef BACKWARD

#include "sigkernel_forward.cuh"
#include "sigkernel_tensor.cuh"

#define TENSOR(name, T, MORE_THAN, R, S, LL, GRID)                                                                     \
    extern "C" __global__ void __launch_bounds__(128) name(goursat::WaveArgs<T> args) {                                \
        GOURSAT_DYNAMIC_SHARED(memory);                                                                                \
        goursat::Forward<T, goursat::TENSOR_CORES, R, S, LL, GRID>::run(args, memory);                                 \
    }
#include "sigkernel_tensor.list"
#undef TENSOR

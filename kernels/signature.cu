#include "signature_backward.cuh"
#include "signature_chen.cuh"

#define SIGNATURE(T, name, degree, M)                                                                                  \
    extern "C" __global__ void __launch_bounds__(128) signature_##name##_##degree(goursat::SignatureArgs<T> args) {    \
        GOURSAT_DYNAMIC_SHARED(memory);                                                                                \
        goursat::SignatureForward<T, M>::run(args, memory);                                                            \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(128) signature_back_##name##_##degree(goursat::SignatureArgs<T> args) { \
        GOURSAT_DYNAMIC_SHARED(memory);                                                                                \
        goursat::SignatureBackward<T, M>::run(args, memory);                                                           \
    }
#include "signature.list"
#undef SIGNATURE

#define CHEN(T, name)                                                                                                  \
    extern "C" __global__ void chen_##name(goursat::ChenArgs<T> args) { goursat::chen(args); }                         \
    extern "C" __global__ void chen_back_##name(goursat::ChenArgs<T> args) { goursat::chen_adjoint(args); }            \
    extern "C" __global__ void signature_collect_##name(goursat::SignatureArgs<T> args) { goursat::collect(args); }
CHEN(float, f32)
CHEN(double, f64)
#undef CHEN

#include "sigkernel_forward.cuh"

#define FORWARD(name, T, D, R, S, LL, GRID)                                                                       \
    extern "C" __global__ void __launch_bounds__(128) name(goursat::WaveArgs<T> args) {                                \
        GOURSAT_DYNAMIC_SHARED(memory);                                                                                \
        goursat::Forward<T, D, R, S, LL, GRID>::run(args, memory);                                                \
    }
#include "sigkernel_forward.list"
#undef FORWARD

extern "C" __global__ void sigkernel_frame_f32(goursat::WaveArgs<float> args) { goursat::frame(args); }
extern "C" __global__ void sigkernel_frame_f64(goursat::WaveArgs<double> args) { goursat::frame(args); }

#include "increments.cuh"

extern "C" __global__ void list(const __grid_constant__ goursat::ListArgs a) { goursat::list(a); }

#define INCREMENTS(T, name)                                                                                            \
    extern "C" __global__ void increments_##name(goursat::PathsArgs<T> a) { goursat::increments(a); }                 \
    extern "C" __global__ void gather_##name(goursat::GatherArgs<T> a) { goursat::gather(a); }                        \
    extern "C" __global__ void scatter_##name(goursat::ScatterArgs<T> a) { goursat::scatter(a); }

INCREMENTS(float, f32)
INCREMENTS(double, f64)

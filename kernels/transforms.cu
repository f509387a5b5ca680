#include "transforms.cuh"

#define TRANSFORMS(T, name)                                                                                            \
    extern "C" __global__ void transform_##name(goursat::TransformArgs<T> a) { goursat::transform(a); }               \
    extern "C" __global__ void transform_back_##name(goursat::TransformArgs<T> a) { goursat::transform_adjoint(a); }

TRANSFORMS(float, f32)
TRANSFORMS(double, f64)

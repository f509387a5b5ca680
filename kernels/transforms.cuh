// Time augmentation and lead-lag as results of their own, and their adjoints.
#pragma once
#include "common.cuh"

namespace goursat {

template <class T> struct TransformArgs {
    const T *given;          // paths as they lie; going back: gradients of transformed paths, contiguous
    T *result;               // transformed paths, contiguous; going back: gradients of paths, or packed at `starts`
    const long long *starts; // of each path, in elements; null: none
    const int *lengths;
    long long strides[3];
    int count, length, dim, lead_lag, lag_first;
    double end_time;
};

// A channel of the transformed path: the block that it is of, and the channel of the path.
template <class T> __device__ __forceinline__ bool leads(const TransformArgs<T> &a, int channel) {
    return (channel < a.dim) != (a.lag_first != 0);
}

// Time of point i of so many: i · end / (points - 1). The product must not overflow where the time does not; powers of 2
// change no other bits.
__device__ __forceinline__ double time_of(long long i, int points, double end) {
    const bool large = end > 1e280 || end < -1e280;
    const double down = large ? 0x1p-64 : 1, up = large ? 0x1p64 : 1;
    return points < 2 ? 0 : double(i) * (end * down) / double(points - 1) * up;
}

// Zero beyond a path's end. Lead-lag: (x_⌈i/2⌉, x_⌊i/2⌋).
template <class T> __device__ __forceinline__ void transform(const TransformArgs<T> &a) {
    const int width = a.lead_lag ? 2 * a.dim : a.dim + 1;
    const long long places = a.lead_lag ? 2ll * a.length - 1 : a.length, all = a.count * places * width;
    const long long each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int channel = int(n % width), path = int(n / width / places);
        const long long i = n / width % places;
        const int points = a.lengths ? a.lengths[path] : a.length;
        T value = T(0);
        if (i < (a.lead_lag ? 2ll * points - 1 : points)) {
            if (!a.lead_lag && channel == a.dim) {
                value = T(time_of(i, points, a.end_time));
            } else {
                const long long point = !a.lead_lag ? i : leads(a, channel) ? (i + 1) / 2 : i / 2;
                const long long start = a.starts ? a.starts[path] : path * a.strides[0];
                value = a.given[start + point * a.strides[1] + (channel % a.dim) * a.strides[2]];
            }
        }
        a.result[n] = value;
    }
}

// What a point gets from its places, in their order.
template <class T> __device__ __forceinline__ void transform_adjoint(const TransformArgs<T> &a) {
    const long long all = (long long)a.count * a.length * a.dim, each = (long long)gridDim.x * blockDim.x;
    const int width = a.lead_lag ? 2 * a.dim : a.dim + 1;
    const long long places = a.lead_lag ? 2ll * a.length - 1 : a.length;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int channel = int(n % a.dim), point = int(n / a.dim % a.length), path = int(n / a.dim / a.length);
        const int points = a.lengths ? a.lengths[path] : a.length;
        if (a.starts && point >= points) continue;
        const T *of_path = a.given + path * places * width;
        T sum = T(0);
        if (point < points && !a.lead_lag) sum = of_path[(long long)point * width + channel];
        if (point < points && a.lead_lag) {
            const int lead = channel + (a.lag_first ? a.dim : 0), lag = channel + (a.lag_first ? 0 : a.dim);
            const T *at = of_path + 2ll * point * width;
            if (point > 0) sum += at[lead - width];
            sum += at[lead];
            sum += at[lag];
            if (point < points - 1) sum += at[lag + width];
        }
        a.result[a.starts ? a.starts[path] + (long long)point * a.dim + channel : n] = sum;
    }
}

} // namespace goursat

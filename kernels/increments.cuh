// From paths to increments, and from gradients of increments to gradients of paths.
//
// Paths lie as the caller has them: strided, ragged, packed. The kernels that do the work read increments:
// (path, channel, place), place 0 of every channel holding 0 and place 1 + i the increment dx_i, so that padding is
// reading place 0, and neighbouring lanes read neighbouring numbers. Time, if asked for, is one channel more, the last.
// Lead-lag leaves no trace here: its increments are (dx_i, 0) and (0, dx_i), which is for the kernels to know.
#pragma once
#include "common.cuh"

namespace goursat {

// Lengths and starts travel as arguments of launches: nothing of the host's is read once a call has returned.
constexpr int CARRIED = 496;
struct ListArgs {
    long long *to;
    int count;
    long long values[CARRIED];
};
__device__ __forceinline__ void list(const ListArgs &a) {
    for (int n = threadIdx.x; n < a.count; n += blockDim.x) a.to[n] = a.values[n];
}

template <class T> struct PathsArgs {
    const T *paths;
    const long long *starts; // of each path, in elements; null: path · strides[0]
    const int *lengths;      // points of each path; null: all full
    long long strides[3];    // path, point, channel
    T *increments;
    int *counts;             // increments of each path
    long long pitch;         // of a channel: the most increments and 1 more
    int first, count;        // which paths; the results are numbered from 0
    int length, dim, time, lead_lag;
    double scale, end_time;
};

// One thread a place: blocks of x over places, grid-stride over (path, channel).
template <class T> __device__ __forceinline__ void increments(const PathsArgs<T> &a) {
    const int channels = a.dim + a.time;
    const long long all = (long long)a.count * channels * a.pitch, each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const long long place = n % a.pitch, row = n / a.pitch;
        const int channel = int(row % channels), path = int(row / channels), of = a.first + path;
        const int points = a.lengths ? a.lengths[of] : a.length;
        T value = T(0);
        if (place > 0 && place < points) {
            if (channel == a.dim) {
                // Time runs over all points of the lead-lag path.
                value = T(a.scale * a.end_time / (double(points - 1) * (a.lead_lag ? 2 : 1)));
            } else {
                const long long start = a.starts ? a.starts[of] : of * a.strides[0];
                const T *at = a.paths + start + (place - 1) * a.strides[1] + channel * a.strides[2];
                value = (at[a.strides[1]] - at[0]) * T(a.scale);
            }
        }
        a.increments[n] = value;
        if (n == row * a.pitch && channel == 0) a.counts[path] = points - 1;
    }
}

// Which pairs a kernel works on: x_i with y_j for i from i0 and j from j0 on, `width` of them a row; width 0: x_i, y_i.
struct Pairing {
    int i0, j0, width, pairs, symmetric;

    __device__ __forceinline__ int i(int pair) const { return width ? i0 + pair / width : i0 + pair; }
    __device__ __forceinline__ int j(int pair) const { return width ? j0 + pair % width : i0 + pair; }
    // Of a symmetric Gram matrix the half above the diagonal is computed, the other is the same.
    __device__ __forceinline__ bool skipped(int pair) const { return symmetric && i(pair) > j(pair); }
};

template <class T> struct GatherArgs {
    const T *gradients;     // (pair, channel, tile) of this launch's pairs
    T *sums;                // (path, channel, increment): ∂F/∂dx, added to what is there
    const int *counts;      // increments of each path
    long long pitch, sums_pitch;
    Pairing pairing;
    int paths, dim, fold;   // fold: tiles of an increment, as a power of two
    int of_y;               // gradients of y: path j; otherwise of x: path i
    T scale;
};

// Sums over the pairs that a path is in, in the order of the pairs, whatever launch they came from: one bit pattern.
template <class T> __device__ __forceinline__ void gather(const GatherArgs<T> &a) {
    const Pairing &p = a.pairing;
    const long long all = (long long)a.paths * a.dim * a.sums_pitch, each = (long long)gridDim.x * blockDim.x;
    const int rows = p.width ? p.pairs / p.width : p.pairs;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int place = int(n % a.sums_pitch), channel = int(n / a.sums_pitch % a.dim);
        const int path = int(n / a.sums_pitch / a.dim);
        if (place >= a.counts[path]) continue;
        int pair = path - p.i0, step = 0, count = 1;
        if (p.width) {
            pair = a.of_y ? path - p.j0 : (path - p.i0) * p.width;
            step = a.of_y ? p.width : 1;
            count = a.of_y ? rows : p.width;
        }
        if (a.of_y && p.width ? path < p.j0 || path >= p.j0 + p.width : path < p.i0 || path >= p.i0 + rows) continue;
        T sum = a.sums[n];
        for (int k = 0; k < count; k++, pair += step) {
            if (p.skipped(pair)) continue;
            const T *at = a.gradients + ((long long)pair * a.dim + channel) * a.pitch + ((long long)place << a.fold);
            for (int f = 0; f < 1 << a.fold; f++) sum += at[f] * a.scale;
        }
        a.sums[n] = sum;
    }
}

template <class T> struct ScatterArgs {
    const T *sums, *more;    // (path, channel, increment); `more`, if not null, is added
    T *gradient;             // (path, point, channel), or packed at `starts`
    const long long *starts;
    const int *lengths;
    long long sums_pitch;
    int count, length, dim;
};

// ∂F/∂x_p = ∂F/∂dx_{p-1} - ∂F/∂dx_p, zero beyond the path's end.
template <class T> __device__ __forceinline__ void scatter(const ScatterArgs<T> &a) {
    const long long all = (long long)a.count * a.length * a.dim, each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int channel = int(n % a.dim), point = int(n / a.dim % a.length), path = int(n / a.dim / a.length);
        const int points = a.lengths ? a.lengths[path] : a.length;
        if (a.starts && point >= points) continue;
        const long long at = ((long long)path * a.dim + channel) * a.sums_pitch + point;
        T before = T(0), after = T(0);
        if (point > 0 && point < points) before = a.more ? a.sums[at - 1] + a.more[at - 1] : a.sums[at - 1];
        if (point < points - 1) after = a.more ? a.sums[at] + a.more[at] : a.sums[at];
        a.gradient[a.starts ? a.starts[path] + (long long)point * a.dim + channel : n] = before - after;
    }
}

} // namespace goursat

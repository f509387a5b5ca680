// Where Δ/2 comes from, for any number of channels: increments are read channel after channel, and Δ/2 of the lane's R
// rows and its next 8 tiles is summed in registers. Neighbouring lanes read neighbouring places.
//
// A source is asked for `fetch(t, h)`, Δ/2 for U steps from t on; before, `advance(t)` where a sweep goes forward, or
// `seek(t)` where it goes back. This is the seam for static kernels.
#pragma once
#include "sigkernel_problem.cuh"

namespace goursat {

template <class T, int RX, int S> struct Wide {
    static constexpr int U = 8, BYTES = 0;

    const T *x, *y;
    long long x_pitch, y_pitch;
    int channels, rows[RX];
    const Place *place_;

    __device__ __forceinline__ void place(char *) {}
    __device__ __forceinline__ void begin(const T *x_, long long x_pitch_, const T *y_, long long y_pitch_, int channels_,
                                          const Place &p, int row) {
        x = x_, y = y_, x_pitch = x_pitch_, y_pitch = y_pitch_, channels = channels_;
        place_ = &p;
        #pragma unroll
        for (int e = 0; e < RX; e++) rows[e] = p.x_place(row + (e << S));
    }
    __device__ __forceinline__ void rewind() {}
    __device__ __forceinline__ void advance(int) {}
    __device__ __forceinline__ void seek(int) {}

    __device__ __forceinline__ void fetch(int t, T (&h)[U][RX]) const {
        int columns[U];
        #pragma unroll
        for (int i = 0; i < U; i++) columns[i] = place_->y_place(place_->tile(t + i));
        #pragma unroll
        for (int i = 0; i < U; i++)
            #pragma unroll
            for (int e = 0; e < RX; e++) h[i][e] = T(0);
        const T *dx = x, *dy = y;
        #pragma unroll 1
        for (int c = 0; c < channels; c++, dx += x_pitch, dy += y_pitch) {
            T of_x[RX];
            #pragma unroll
            for (int e = 0; e < RX; e++) of_x[e] = dx[rows[e]];
            #pragma unroll
            for (int i = 0; i < U; i++) {
                const T of_y = dy[columns[i]];
                #pragma unroll
                for (int e = 0; e < RX; e++) h[i][e] = fma(of_x[e], of_y, h[i][e]);
            }
        }
    }
};

} // namespace goursat

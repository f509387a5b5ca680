// ∂F/∂dx and ∂F/∂dy from ∂F/∂h of a period, for any number of channels: channel after channel. A lane sums for its own
// rows, then for columns of its own; the sums are kept in global memory. Order depends on shapes alone, no atomics.
#pragma once
#include "sigkernel_wide.cuh"

namespace goursat {

template <class T, int R, int S> struct WideGradients {
    static constexpr int RX = R >> S, BYTES = 0;
    using Source = Wide<T, RX, S>;

    __device__ __forceinline__ void place(char *) {}
    __device__ __forceinline__ void begin() {}
    __device__ __forceinline__ void step(const Place &, int, const T (&)[RX], const Source &) {}
    __device__ __forceinline__ void end(const WaveArgs<T> &, const Place &) {}

    // `gradient`: of the lane's increments and the steps t to t + PERIOD - 1.
    __device__ __forceinline__ void period(const WaveArgs<T> &a, const Place &p, int t, Shared<T> gradient, const Source &source) {
        if (!p.live) return;
        const int dim = a.channels - a.time;
        if (a.x_gradients) to_x(a.x_gradients + (long long)p.pair * dim * a.x_tiles, a.x_tiles, dim, p, t, gradient, source);
        if (a.y_gradients) to_y(a.y_gradients + (long long)p.pair * dim * a.y_tiles, a.y_tiles, dim, p, t, gradient, source);
    }

    static __device__ __forceinline__ void to_x(T *sums, long long tiles, int dim, const Place &p, int t, Shared<T> gradient, const Source &source) {
        const int in_warp = threadIdx.x & (WARP - 1), row = p.first + p.lane * R;
        const bool begins = t == p.steps - PERIOD;
        T g[PERIOD][RX];
        int columns[PERIOD];
        #pragma unroll
        for (int i = 0; i < PERIOD; i++) {
            columns[i] = p.y_place(p.tile(t + i));
            #pragma unroll
            for (int e = 0; e < RX; e++) g[i][e] = gradient[(i * RX + e) * WARP + in_warp];
        }
        #pragma unroll 1
        for (int c = 0; c < dim; c++) {
            T dy[PERIOD];
            #pragma unroll
            for (int i = 0; i < PERIOD; i++) dy[i] = source.y[c * source.y_pitch + columns[i]];
            #pragma unroll
            for (int e = 0; e < RX; e++) {
                const int r = row + (e << S);
                if (r < 0) continue;
                T *at = sums + c * tiles + (r >> S);
                T sum = begins ? T(0) : *at;
                #pragma unroll
                for (int i = PERIOD - 1; i >= 0; i--) sum = fma(g[i][e], dy[i], sum);
                *at = sum;
            }
        }
    }

    // Tile q of the period is that of step i in lane i + lanes - 1 - q, where there is such a lane.
    static __device__ __forceinline__ void to_y(T *sums, long long tiles, int dim, const Place &p, int t, Shared<T> gradient, const Source &source) {
        for (int q = p.lane; q < p.lanes + PERIOD - 1; q += p.lanes) {
            const int tile = t + q - (p.lanes - 1) - p.offset;
            if (tile < 0 || tile >= p.tiles) continue;
            // The last strip comes first; it meets a tile first in its last lane.
            const bool begins = p.strip == p.strips - 1 && tile + p.offset + p.lanes - 1 < t + PERIOD;
            #pragma unroll 1
            for (int c = 0; c < dim; c++) {
                T *at = sums + c * tiles + tile;
                T sum = begins ? T(0) : *at;
                const T *dx = source.x + c * source.x_pitch;
                for (int i = PERIOD - 1; i >= 0; i--) {
                    const int lane = i + p.lanes - 1 - q;
                    if (lane < 0 || lane >= p.lanes) continue;
                    #pragma unroll
                    for (int e = RX - 1; e >= 0; e--) {
                        const int row = p.first + lane * R + (e << S);
                        const T g = gradient[(i * RX + e) * WARP + p.group * p.lanes + lane];
                        sum = fma(g, dx[p.x_place(row)], sum);
                    }
                }
                *at = sum;
            }
        }
    }
};

} // namespace goursat

// ∂F/∂dx and ∂F/∂dy for few channels: those of x stay in the registers of the lane that has the rows; those of a tile of
// y go up from lane to lane with it, and from strip to strip through global memory, in the order of the wave.
#pragma once
#include "sigkernel_narrow.cuh"

namespace goursat {

template <class T, int D, int R, int S> struct NarrowGradients {
    static constexpr int RX = R >> S;
    static constexpr int GROUPS = WARP / PERIOD;    // of 8 lanes or more
    static constexpr int BYTES = GROUPS * PERIOD * D * int(sizeof(T));
    using Source = Narrow<T, D, RX, S>;

    T to_x[RX][D], to_y[D];
    Shared<T> done;                 // (group, channel, step): tiles that lane 0 has finished

    __device__ __forceinline__ void place(char *memory) { done = Shared<T>(memory); }
    __device__ __forceinline__ void begin() {
        #pragma unroll
        for (int c = 0; c < D; c++) {
            to_y[c] = T(0);
            #pragma unroll
            for (int e = 0; e < RX; e++) to_x[e][c] = T(0);
        }
    }

    __device__ __forceinline__ void step(const Place &p, int t, const T (&gradient)[RX], const Source &source) {
        T dy[Source::CHUNKS * Source::PER];
        source.load(t, 0, dy);
        #pragma unroll
        for (int c = 0; c < D; c++) {
            #pragma unroll
            for (int e = 0; e < RX; e++) to_x[e][c] = fma(gradient[e], dy[c], to_x[e][c]);
            T sum = __shfl_down_sync(FULL, to_y[c], 1, p.lanes);
            if (p.lane == p.lanes - 1) sum = T(0);
            #pragma unroll
            for (int e = RX - 1; e >= 0; e--) sum = fma(gradient[e], source.dx[e][c], sum);
            to_y[c] = sum;
            if (p.lane == 0) done[(p.group * D + c) * PERIOD + (t & (PERIOD - 1))] = sum;
        }
    }

    __device__ __forceinline__ void period(const WaveArgs<T> &a, const Place &p, int t, Shared<T>, const Source &) {
        if (!p.live || !a.y_gradients) return;
        const int dim = a.channels - a.time;
        T *sums = a.y_gradients + (long long)p.pair * dim * a.y_tiles;
        for (int n = p.lane; n < dim * PERIOD; n += p.lanes) {
            const int tile = t + n % PERIOD - p.offset;
            if (tile < 0 || tile >= p.tiles) continue;
            T *at = sums + n / PERIOD * a.y_tiles + tile;
            const T sum = done[p.group * D * PERIOD + n];
            *at = p.strip == p.strips - 1 ? sum : *at + sum;
        }
    }

    __device__ __forceinline__ void end(const WaveArgs<T> &a, const Place &p) {
        if (!p.live || !a.x_gradients) return;
        const int dim = a.channels - a.time, row = p.first + p.lane * R;
        T *to = a.x_gradients + (long long)p.pair * dim * a.x_tiles;
        #pragma unroll
        for (int e = 0; e < RX; e++) {
            const int r = row + (e << S);
            #pragma unroll
            for (int c = 0; c < D; c++) {
                if (r >= 0 && c < dim) to[c * a.x_tiles + (r >> S)] = to_x[e][c];
            }
        }
    }
};

} // namespace goursat

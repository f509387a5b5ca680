// Signature kernels, forward: values of pairs, or their grids; for the way back also the strips' edges and states.
#pragma once
#include "sigkernel_wave.cuh"

namespace goursat {

// Writes k of every cell's last corner to the pair's grid.
template <class T, int R, int S> struct GridNodes {
    T *grid;
    long long columns;
    int row, tile, width;

    __device__ __forceinline__ void cell(int c, int r, T, T, T, T, T k) {
        const int column = (tile << S) + c;
        if (grid && row + r >= 0 && column >= 0 && column < width) {
            grid[(row + r + 1) * columns + column + 1] = k;
        }
        if (c == (1 << S) - 1 && r == R - 1) tile++;
    }
};

template <class T, int D, int R, int S, bool LL, bool GRID> struct Forward {
    using W = Wave<T, D, R, S, LL>;
    static constexpr int BYTES = W::BYTES;

    static __device__ __forceinline__ void run(const WaveArgs<T> &a, char *memory) {
        const int in_warp = threadIdx.x & (WARP - 1), warp = threadIdx.x / WARP;
        W wave;
        wave.place(memory + warp * BYTES);
        const unsigned count = items(a);
        for (;;) {
            const unsigned number = draw(a.ticket, in_warp);
            if (number >= count * a.strips) return;
            Place p;
            if (!locate<R, S>(a, number % count, number / count, p)) continue;
            const bool is_last = p.strip == p.strips - 1;
            T *states = a.states ? a.states + p.item * a.state_item + p.strip * a.state_strip : nullptr;
            if (GRID) {
                T *grid = p.live ? a.grid + out_place(a, p.pair) * a.grid_rows * a.grid_columns : nullptr;
                GridNodes<T, R, S> nodes{grid, a.grid_columns, p.first + p.lane * R, p.tile(0), p.tiles << S};
                wave.sweep(a, p, states, true, !is_last, nodes);
            } else {
                Nothing nothing;
                wave.sweep(a, p, states, true, !is_last, nothing);
            }
            if (a.out && is_last && p.live && p.lane == p.lanes - 1) store(a, p, wave.bottom[W::C - 1]);
        }
    }

    static __device__ __forceinline__ void store(const WaveArgs<T> &a, const Place &p, T k) {
        a.out[out_place(a, p.pair)] = k;
        if (a.pairing.symmetric) a.out[(long long)a.pairing.j(p.pair) * a.out_columns + a.pairing.i(p.pair)] = k;
    }
};

// The frame of a grid: 1 on its axes, NaN beyond a ragged pair's corner.
template <class T> __device__ __forceinline__ void frame(const WaveArgs<T> &a) {
    const long long size = a.grid_rows * a.grid_columns, all = size * a.pairing.pairs;
    const long long each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int pair = int(n / size);
        const long long row = n % size / a.grid_columns, column = n % a.grid_columns;
        const long long rows = (long long)a.x.counts[a.pairing.i(pair)] << (a.x_order + a.lead_lag);
        const long long columns = (long long)a.y.counts[a.pairing.j(pair)] << (a.y_order + a.lead_lag);
        const T nan = T(0) * (T(1) / T(0));
        T *at = a.grid + out_place(a, pair) * size + n % size;
        if (row > rows || column > columns) *at = nan;
        else if (row == 0 || column == 0) *at = T(1);
    }
}

} // namespace goursat

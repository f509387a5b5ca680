// Δ/2 for many channels in f64, by the tensor cores: exact products and sums of doubles at twice the rate of the rest,
// where a device has them in f64 (sm_80, sm_90, sm_100; it takes sm_80).
//
// Every COLUMNS steps the warp makes Δ/2 of its rows and their next COLUMNS tiles, 8 × 8 at a time. Lane ℓ works ℓ tiles
// behind lane 0, so that LIVE tiles are kept, in a ring in shared memory.
#pragma once
#include "sigkernel_wave.cuh"

namespace goursat {

// c += a b for tiles of 8 × 4 and 4 × 8. Of a the lane has row lane / 4, column lane % 4; of b row lane % 4, column lane / 4; of
// c row lane / 4, columns 2 (lane % 4) and the next (PTX: mma.m8n8k4).
#ifdef GOURSAT_SHIM
using shim::multiply_8x8x4;
#else
__device__ __forceinline__ void multiply_8x8x4(Chunk<double> &c, double a, double b) {
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+d"(c.v[0]), "+d"(c.v[1]) : "d"(a), "d"(b));
}
#endif

template <int RX, int S> struct Tensor {
    static constexpr int U = 2, COLUMNS = 16, LIVE = WARP + COLUMNS;
    static constexpr int TILES = WARP * RX / 8;              // of 8 rows
    static constexpr int PITCH = WARP * RX / 2 + RX / 2 + 1; // chunks a column: no bank conflicts where it is read
    static constexpr int BYTES = LIVE * PITCH * 16;

    Shared<Chunk<double>> ring;
    const double *x, *y;
    long long x_pitch, y_pitch;
    int channels, in_warp;
    const Place *place_;

    __device__ __forceinline__ void place(char *memory) { ring = Shared<Chunk<double>>(memory); }
    __device__ __forceinline__ void begin(const double *x_, long long x_pitch_, const double *y_, long long y_pitch_,
                                          int channels_, const Place &p, int) {
        x = x_, y = y_, x_pitch = x_pitch_, y_pitch = y_pitch_, channels = channels_;
        place_ = &p;
        in_warp = threadIdx.x & (WARP - 1);
    }

    // Before the first tile Δ is 0.
    __device__ __forceinline__ void rewind() {
        __syncwarp();
        for (int i = in_warp; i < LIVE * PITCH; i += WARP) ring[i] = Chunk<double>{{0, 0}};
    }
    __device__ __forceinline__ void advance(int t) {
        if (t % COLUMNS) return;
        __syncwarp();
        // Tiles that share columns are of one pair: of 16 lanes at least, or of 4.
        if (place_->lanes >= 16) multiply_all<16 * RX / 8>(t);
        else multiply_all<4 * RX / 8>(t);
        __syncwarp();
    }
    template <int N> __device__ __forceinline__ void multiply_all(int t) {
        #pragma unroll 1
        for (int begin = 0; begin < TILES; begin += N) multiply<N>(t, begin);
    }

    static __device__ __forceinline__ const double *pointer_of(const double *p, int lane) {
        return reinterpret_cast<const double *>(__shfl_sync(FULL, reinterpret_cast<unsigned long long>(p), lane));
    }

    // N tiles of rows from `begin` on by the columns of steps t to t + COLUMNS - 1.
    template <int N> __device__ __forceinline__ void multiply(int t, int begin) {
        const int own = in_warp / 4, share = in_warp % 4, first_lane = 8 * begin / RX & ~(place_->lanes - 1);
        Place its = *place_;
        its.first = __shfl_sync(FULL, its.first, first_lane);
        its.tiles = __shfl_sync(FULL, its.tiles, first_lane);
        its.cells = __shfl_sync(FULL, int(its.cells), first_lane);
        its.offset = __shfl_sync(FULL, its.offset, first_lane);
        const double *its_x = pointer_of(x, first_lane) + share * x_pitch, *dx[N];
        const double *its_y = pointer_of(y, first_lane) + share * y_pitch, *dy[2];
        Chunk<double> h[2][N];
        #pragma unroll
        for (int half = 0; half < 2; half++) dy[half] = its_y + its.y_place(t + 8 * half + own - its.offset);
        #pragma unroll
        for (int i = 0; i < N; i++) {
            const int row = 8 * (begin + i) + own - first_lane * RX;
            dx[i] = its_x + its.x_place(its.first + (row << S));
            h[0][i] = h[1][i] = Chunk<double>{{0, 0}};
        }
        #pragma unroll 1
        for (int c = share; c - share < channels; c += 4) {
            const bool there = c < channels;
            double of_y[2], of_x[N];
            #pragma unroll
            for (int half = 0; half < 2; half++) of_y[half] = there ? *dy[half] : 0, dy[half] += 4 * y_pitch;
            #pragma unroll
            for (int i = 0; i < N; i++) of_x[i] = there ? *dx[i] : 0, dx[i] += 4 * x_pitch;
            #pragma unroll
            for (int i = 0; i < N; i++) multiply_8x8x4(h[0][i], of_y[0], of_x[i]);
            #pragma unroll
            for (int i = 0; i < N; i++) multiply_8x8x4(h[1][i], of_y[1], of_x[i]);
        }
        #pragma unroll
        for (int half = 0; half < 2; half++) {
            const int to = ((t + 8 * half) % LIVE + own) * PITCH + 4 * begin + share;
            #pragma unroll
            for (int i = 0; i < N; i++) ring[to + 4 * i] = h[half][i];
        }
    }

    __device__ __forceinline__ void fetch(int t, double (&h)[U][RX]) const {
        int slot = t % LIVE - place_->lane;
        if (slot < 0) slot += LIVE;
        #pragma unroll
        for (int i = 0; i < U; i++) {
            #pragma unroll
            for (int e = 0; e < RX; e += 2) {
                const Chunk<double> chunk = ring[slot * PITCH + (in_warp * RX + e) / 2];
                h[i][e] = chunk.v[0], h[i][e + 1] = chunk.v[1];
            }
            slot = slot + 1 < LIVE ? slot + 1 : 0;
        }
    }
};

// In the place of a number of channels.
constexpr int TENSOR_CORES = -1;
template <int RX, int S> struct Source_<double, TENSOR_CORES, RX, S> {
    using type = Tensor<RX, S>;
};

} // namespace goursat

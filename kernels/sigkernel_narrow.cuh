// Δ/2 for few channels: dx of the lane's rows in registers, dy in a ring in shared memory, of which a lane reads the tile
// that its neighbour read a step before. The ring of a group holds 2 · lanes tiles, and its first U once more behind, so
// that U steps need one address.
#pragma once
#include "sigkernel_problem.cuh"

namespace goursat {

template <class T, int D, int RX, int S> struct Narrow {
    static constexpr int U = 2, PER = 16 / int(sizeof(T)), CHUNKS = (D + PER - 1) / PER;
    static constexpr int STRIDE = CHUNKS | 1;              // odd: no bank conflicts
    static constexpr int ENTRIES = 2 * WARP + WARP / 4 * U; // of 8 groups of 4 lanes; fewer groups need less
    static constexpr int BYTES = ENTRIES * STRIDE * 16;
    static constexpr bool EARLY = D * int(sizeof(T)) <= 64; // registers for what is loaded ahead

    T dx[RX][D], column[EARLY ? D : 1];
    Shared<Chunk<T>> ring;
    const T *y;
    long long y_pitch;
    int channels, seen;
    const Place *place_;

    __device__ __forceinline__ void place(char *memory) { ring = Shared<Chunk<T>>(memory); }
    __device__ __forceinline__ void begin(const T *x, long long x_pitch, const T *y_, long long y_pitch_, int channels_,
                                          const Place &p, int row) {
        y = y_, y_pitch = y_pitch_, channels = channels_;
        place_ = &p;
        seen = -1;
        #pragma unroll
        for (int e = 0; e < RX; e++) {
            const int from = p.x_place(row + (e << S));
            #pragma unroll
            for (int c = 0; c < D; c++) dx[e][c] = c < channels ? x[c * x_pitch + from] : T(0);
        }
    }

    // The tile that this lane brings for steps t to t + lanes - 1. Where registers allow it, it is loaded long before it is
    // staged.
    __device__ __forceinline__ T dy(int c, int from) const { return c < channels ? y[c * y_pitch + from] : T(0); }
    __device__ __forceinline__ int origin(int t) const { return place_->y_place(t + place_->lane - place_->offset); }
    __device__ __forceinline__ void prefetch(int t) {
        if (!EARLY) return;
        const int from = origin(t);
        #pragma unroll
        for (int c = 0; c < D; c++) column[EARLY ? c : 0] = dy(c, from);
    }
    __device__ __forceinline__ int entry(int slot) const {
        return (place_->group * (2 * place_->lanes + U) + slot) * STRIDE;
    }
    __device__ __forceinline__ int slot(int t) const { return t & (2 * place_->lanes - 1); }
    __device__ __forceinline__ void stage(int t) {
        const int to = slot(t + place_->lane), again = to + 2 * place_->lanes, from = origin(t);
        #pragma unroll
        for (int i = 0; i < CHUNKS; i++) {
            Chunk<T> chunk;
            #pragma unroll
            for (int j = 0; j < PER; j++) {
                const int c = i * PER + j;
                chunk.v[j] = c >= D ? T(0) : EARLY ? column[EARLY && c < D ? c : 0] : dy(c, from);
            }
            ring[entry(to) + i] = chunk;
            if (to < U) ring[entry(again) + i] = chunk;
        }
    }

    __device__ __forceinline__ void rewind() {
        seek(0 - place_->lanes);
        prefetch(0);
    }
    __device__ __forceinline__ void advance(int t) {
        if (t & (place_->lanes - 1)) return;
        __syncwarp();
        stage(t);
        __syncwarp();
        prefetch(t + place_->lanes);
    }
    // The tiles of the lanes · 2 steps that end with the block of t.
    __device__ __forceinline__ void seek(int t) {
        const int block = t & ~(place_->lanes - 1);
        if (block == seen) return;
        seen = block;
        __syncwarp();
        prefetch(block);
        stage(block);
        prefetch(block - place_->lanes);
        stage(block - place_->lanes);
        __syncwarp();
    }

    // dy of this lane's tile `i` steps after t.
    __device__ __forceinline__ void load(int t, int i, T (&dy)[CHUNKS * PER]) const {
        const int from = entry(slot(t - place_->lane)) + i * STRIDE;
        #pragma unroll
        for (int k = 0; k < CHUNKS; k++) {
            const Chunk<T> chunk = ring[from + k];
            #pragma unroll
            for (int j = 0; j < PER; j++) dy[k * PER + j] = chunk.v[j];
        }
    }
    __device__ __forceinline__ void fetch(int t, T (&h)[U][RX]) const {
        #pragma unroll
        for (int i = 0; i < U; i++) {
            T dy[CHUNKS * PER];
            load(t, i, dy);
            #pragma unroll
            for (int e = 0; e < RX; e++) {
                h[i][e] = dx[e][0] * dy[0];
                #pragma unroll
                for (int c = 1; c < D; c++) h[i][e] = fma(dx[e][c], dy[c], h[i][e]);
            }
        }
    }
};

} // namespace goursat

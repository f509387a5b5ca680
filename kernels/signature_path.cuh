// Signatures: what a launch is given, and the letters of its path.
//
// A path is walked from its end, its increments z multiplied from the LEFT: A ← exp(z) ⊗ A. Of the word (a1, …, ak)
//
//     A(a1…ak) += z_a1 (A(a2…ak) + z_a2/2 (A(a3…ak) + z_a3/3 (…)))
//
// where only suffixes of the word appear: a word and its suffixes are a closed system, and a thread can walk the whole
// path with one. It has a suffix of degree - 1 letters, its own suffixes, and the words of a few first letters before it.
// Long paths are cut into pieces of PIECE increments, counted by the path's own length, and joined by Chen's identity.
#pragma once
#include "increments.cuh"

namespace goursat {

constexpr int FIRST_LETTERS = 8; // words of a thread that differ in their first letter
constexpr int PIECE = 256;       // increments of the path as given

template <class T> struct SignatureArgs {
    const T *increments;    // (path, channel, place), see increments.cuh; not scaled
    const int *counts;
    long long pitch;
    int paths, dim, time, lead_lag, lag_first;
    int degree, letters;    // letters: channels after the transforms
    int pieces;             // the most that a path has
    long long size;         // coefficients of levels 1 to degree
    T *out;                 // (path, piece, coefficient)
    T *state;               // for degrees beyond the compiled ones: (number, thread of the grid)

    // Going back.
    const T *weights;       // ∂F/∂ of `out`
    int shares;             // warps that share the words of a piece
    T *partial;             // (path, share, step, letter): ∂F/∂z of a path's words, to be summed over shares
    long long steps;        // the most steps of a path
    T *checkpoints;         // (warp of the grid, checkpoint, number, lane)
    T *gradients;           // (path, channel, increment): sums over shares, lead-lag undone
    long long gradients_pitch;
};

// Where level k begins.
__device__ __forceinline__ long long level_start(int letters, int k) {
    long long start = 0, power = 1;
    for (int j = 1; j < k; j++) power *= letters, start += power;
    return start;
}
__device__ __forceinline__ long long power(int letters, int k) {
    long long n = 1;
    for (int j = 0; j < k; j++) n *= letters;
    return n;
}

// Steps of the transformed path: its increments.
template <class T> struct Walk {
    const T *increments;
    long long pitch;
    int dim, lead_lag, lag_first, from, to; // steps of this piece

    // False if the path has no such piece (the first one it always has).
    __device__ __forceinline__ bool begin(const SignatureArgs<T> &a, int path, int piece) {
        const int count = a.counts[path];
        increments = a.increments + (long long)path * (a.dim + a.time) * a.pitch;
        pitch = a.pitch, dim = a.dim, lead_lag = a.lead_lag, lag_first = a.lag_first;
        from = least(piece * PIECE, count) << lead_lag;
        to = least((piece + 1) * PIECE, count) << lead_lag;
        return piece == 0 || piece * PIECE < count;
    }
    // Letter c of step q. Increments of lead-lag are (dx_i, 0) and (0, dx_i), the lead first.
    __device__ __forceinline__ T letter(int q, int c) const {
        const int place = 1 + (q >> lead_lag);
        if (!lead_lag) return increments[c * pitch + place];
        if (c == 2 * dim) return increments[dim * pitch + place];
        const int block = (c >= dim) ^ lag_first;
        return (q & 1) == block ? increments[(c < dim ? c : c - dim) * pitch + place] : T(0);
    }
};

// The letters of some steps at a time, in shared memory of a warp where they fit.
template <class T> struct Letters {
    static constexpr int ROOM = 4096 / int(sizeof(T)), BYTES = ROOM * int(sizeof(T));
    Shared<T> staged;
    Walk<T> walk;
    int letters, rows, first; // steps that are staged: first to first + rows - 1

    __device__ __forceinline__ void place(char *memory) { staged = Shared<T>(memory); }
    __device__ __forceinline__ void begin(const Walk<T> &w, int letters_) {
        walk = w, letters = letters_, rows = least(WARP, ROOM / letters), first = -WARP;
    }
    __device__ __forceinline__ bool fit() const { return rows > 0; }
    // Makes step q readable; the same q for all lanes. Steps are staged in blocks of `rows`.
    __device__ __forceinline__ void seek(int q) {
        if (!fit() || (q >= first && q < first + rows)) return;
        first = q / rows * rows;
        const int lane = threadIdx.x & (WARP - 1);
        __syncwarp();
        for (int n = lane; n < rows * letters; n += WARP) {
            const int step = first + n / letters;
            staged[n] = step >= walk.from && step < walk.to ? walk.letter(step, n % letters) : T(0);
        }
        __syncwarp();
    }
    __device__ __forceinline__ T at(int q, int c) const {
        return fit() ? T(staged[(q - first) * letters + c]) : walk.letter(q, c);
    }
};

} // namespace goursat

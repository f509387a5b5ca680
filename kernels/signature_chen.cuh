// Chen's identity, S(a…c) = S(a…b) ⊗ S(b…c): pieces are joined two by two, and its adjoint.
#pragma once
#include "signature_path.cuh"

namespace goursat {

template <class T> struct ChenArgs {
    const int *counts;    // increments of each path: of how many pieces it is
    int paths, letters, degree, level, slots; // slots: of the pieces that go in, the most of a path
    long long size;
    T *pieces;            // (path, slot, coefficient)
    T *joined;            // (path, slot / 2, coefficient), rows of `stride`
    long long stride, offset; // offset: where level 1 begins in a row; 1 where level 0 comes before it
    const T *joined_weights;
    T *weights;           // ∂F/∂ of the pieces
};

// Pieces of a path at a level of the tree.
template <class T> __device__ __forceinline__ int pieces_at(const ChenArgs<T> &a, int path, int level) {
    const int pieces = most(1, (a.counts[path] + PIECE - 1) / PIECE);
    return (pieces + (1 << level) - 1) >> level;
}

// Where coefficient n is: its level and its number there.
struct Coefficient {
    int level;
    long long start, count, index;

    __device__ __forceinline__ Coefficient(int letters, long long n) : level(1), start(0), count(letters) {
        while (n - start >= count) start += count, count *= letters, level++;
        index = n - start;
    }
};

// (a ⊗ b) of a word: the sum over all ways to cut it.
template <class T> __device__ __forceinline__ void chen(const ChenArgs<T> &a) {
    const int slots = (a.slots + 1) / 2;
    const long long all = a.size * slots * a.paths, each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int slot = int(n / a.size % slots), path = int(n / a.size / slots);
        const int there = pieces_at(a, path, a.level);
        if (2 * slot >= there) continue;
        const T *left = a.pieces + ((long long)path * a.slots + 2 * slot) * a.size, *right = left + a.size;
        const Coefficient w(a.letters, n % a.size);
        T sum = left[n % a.size];
        if (2 * slot + 1 < there) {
            long long suffixes = 1, start = 0;      // of the suffix's level
            long long prefixes = w.count, prefix_start = w.start;
            for (int j = 1; j < w.level; j++) {
                suffixes *= a.letters;
                prefixes /= a.letters, prefix_start -= prefixes;
                sum = fma(left[prefix_start + w.index / suffixes], right[start + w.index % suffixes], sum);
                start += suffixes;
            }
            sum += right[n % a.size];
        }
        T *out = a.joined + ((long long)path * slots + slot) * a.stride;
        out[a.offset + n % a.size] = sum;
        if (a.offset && n % a.size == 0) out[0] = T(1);
    }
}

// ∂F/∂left of u = Σ ∂F/∂joined of uv · right of v, and likewise on the right.
template <class T> __device__ __forceinline__ void chen_adjoint(const ChenArgs<T> &a) {
    const int slots = (a.slots + 1) / 2;
    const long long all = a.size * a.slots * a.paths, each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int slot = int(n / a.size % a.slots), path = int(n / a.size / a.slots);
        const int there = pieces_at(a, path, a.level);
        if (slot >= there) continue;
        const T *given = a.joined_weights + ((long long)path * slots + slot / 2) * a.stride + a.offset;
        const T *other = a.pieces + ((long long)path * a.slots + (slot ^ 1)) * a.size;
        const Coefficient w(a.letters, n % a.size);
        T sum = given[n % a.size];
        if ((slot ^ 1) < there) {
            long long more = 1, other_start = 0, start = w.start, count = w.count;
            for (int k = w.level + 1; k <= a.degree; k++) {
                start += count, count *= a.letters, more *= a.letters;
                for (long long v = 0; v < more; v++) {
                    const long long joined = slot % 2 ? v * w.count + w.index : w.index * more + v;
                    sum = fma(given[start + joined], other[other_start + v], sum);
                }
                other_start += more;
            }
        }
        a.weights[n] = sum;
    }
}

} // namespace goursat

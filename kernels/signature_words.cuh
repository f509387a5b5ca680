// A word with all its suffixes: one step on, and the adjoint of that step. Letters are counted from the front of the
// word, c[j] belongs to its suffix of j letters, and c[0] = 1. What a letter before the word is multiplied by is
//
//     before = c[m] + z_1/2 (c[m-1] + z_2/3 (… + z_m/(m+1)))
#pragma once
#include "signature_path.cuh"

namespace goursat {

// Numbers of a word of m letters. M: m, in registers; LONG: any m, in global memory.
constexpr int LONG = -1;

template <class T> struct Strided {
    T *at;
    long long stride;
    __device__ __forceinline__ T &operator[](int i) const { return at[i * stride]; }
};

template <class T, int M> struct Word {
    T c[M + 1], z[M + 1], g[M + 1], by_z[M + 1], sums[M + 2];
    int letter[M + 1];

    static constexpr int NUMBERS = 0; // in global memory
    __device__ __forceinline__ static constexpr int length() { return M; }
    __device__ __forceinline__ void place(T *, long long, int) {}
    __device__ __forceinline__ void begin(int letters, long long index) {
        #pragma unroll
        for (int i = M - 1; i >= 0; i--) letter[i] = int(index % letters), index /= letters;
    }
};

template <class T> struct Word<T, LONG> {
    Strided<T> c, z, g, by_z, sums;
    Strided<T> letter; // exact: letters are less than 2^24
    int m;

    static constexpr int NUMBERS = 6; // times m + 2
    __device__ __forceinline__ int length() const { return m; }
    __device__ __forceinline__ void place(T *state, long long threads, int length) {
        m = length;
        const long long each = threads * (m + 2);
        c = {state, threads}, z = {state + each, threads}, g = {state + 2 * each, threads};
        by_z = {state + 3 * each, threads}, sums = {state + 4 * each, threads}, letter = {state + 5 * each, threads};
    }
    __device__ __forceinline__ void begin(int letters, long long index) {
        for (int i = m - 1; i >= 0; i--) letter[i] = T(int(index % letters)), index /= letters;
    }
};

template <class W> __device__ __forceinline__ void clear(W &w) {
    w.c[0] = 1;
    #pragma unroll
    for (int j = 1; j <= w.length(); j++) w.c[j] = 0;
}

template <class W, class T> __device__ __forceinline__ void read(W &w, const Letters<T> &letters, int q) {
    #pragma unroll
    for (int i = 0; i < w.length(); i++) w.z[i] = letters.at(q, int(w.letter[i]));
}

template <class T, class W> __device__ __forceinline__ T before(const W &w) {
    const int m = w.length();
    T sum = T(1);
    #pragma unroll
    for (int i = m; i > 0; i--) sum = fma(w.z[i - 1] * (T(1) / T(i + 1)), sum, w.c[m - i + 1]);
    return sum;
}

// All suffixes one step on; the longer ones first, for they need the shorter ones as they were.
template <class T, class W> __device__ __forceinline__ void step(W &w) {
    const int m = w.length();
    #pragma unroll
    for (int j = m; j > 0; j--) {
        T sum = T(1);
        #pragma unroll
        for (int i = j; i > 1; i--) sum = fma(w.z[m - j + i - 1] * (T(1) / T(i)), sum, w.c[j - i + 1]);
        w.c[j] = fma(w.z[m - j], sum, w.c[j]);
    }
}

// The adjoint of both, where c is as it was before the step: g, ∂F/∂c after the step, becomes ∂F/∂c before it, and by_z
// is ∂F/∂z of the word's letters. The shortest suffixes first: longer ones add to what those have used.
template <class T, class W> __device__ __forceinline__ void step_adjoint(W &w, T by_before) {
    const int m = w.length();
    #pragma unroll
    for (int i = 0; i < m; i++) w.by_z[i] = T(0);
    #pragma unroll
    for (int j = 1; j <= m; j++) {
        w.sums[j + 1] = T(1);
        #pragma unroll
        for (int i = j; i > 1; i--) w.sums[i] = fma(w.z[m - j + i - 1] * (T(1) / T(i)), w.sums[i + 1], w.c[j - i + 1]);
        w.by_z[m - j] = fma(w.g[j], w.sums[2], w.by_z[m - j]);
        T by = w.g[j] * w.z[m - j];
        #pragma unroll
        for (int i = 2; i <= j; i++) {
            const T part = by * (T(1) / T(i));
            w.g[j - i + 1] += by;
            w.by_z[m - j + i - 1] = fma(part, w.sums[i + 1], w.by_z[m - j + i - 1]);
            by = part * w.z[m - j + i - 1];
        }
    }
    w.sums[m + 1] = T(1);
    #pragma unroll
    for (int i = m; i > 1; i--) w.sums[i] = fma(w.z[i - 1] * (T(1) / T(i + 1)), w.sums[i + 1], w.c[m - i + 1]);
    T by = by_before;
    #pragma unroll
    for (int i = 1; i <= m; i++) {
        const T part = by * (T(1) / T(i + 1));
        w.g[m - i + 1] += by;
        w.by_z[i - 1] = fma(part, w.sums[i + 1], w.by_z[i - 1]);
        by = part * w.z[i - 1];
    }
}

} // namespace goursat

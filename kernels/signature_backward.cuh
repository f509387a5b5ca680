// The gradient of signatures of pieces: what every word of a warp gives to the letters of every step.
//
// A warp walks a piece with its words and keeps their state every KEPT steps; then it goes back, from state to state,
// replays the steps between, and takes their adjoint in reverse. Nothing is un-multiplied. Words of a piece are shared by
// `shares` warps, each with sums of its own: so the order of sums depends on shapes alone, and there are no atomics.
#pragma once
#include "signature_forward.cuh"

namespace goursat {

constexpr int KEPT = 8;

template <class T, int M> struct SignatureBackward {
    using W = Word<T, M>;
    static constexpr int BYTES = Letters<T>::BYTES + WARP * int(sizeof(T));

    Letters<T> letters;
    Shared<T> lanes;
    Words words;
    W word;
    Walk<T> walk;
    T weights[FIRST_LETTERS];
    T *sums;        // (step, letter) of this share
    T *checkpoints; // (checkpoint, number, lane), and behind them those of the steps that are replayed

    static __device__ __forceinline__ void run(const SignatureArgs<T> &a, char *memory) {
        const int warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
        const long long number = (long long)blockIdx.x * warps + warp, each = (long long)gridDim.x * warps;
        SignatureBackward b;
        b.letters.place(memory + warp * BYTES);
        b.lanes = Shared<T>(memory + warp * BYTES + Letters<T>::BYTES);
        b.word.place(a.state + number * WARP + (threadIdx.x & (WARP - 1)), each * WARP, a.degree - 1);
        b.checkpoints = a.checkpoints + number * numbers(a) + (threadIdx.x & (WARP - 1));
        b.words.count(a.letters, a.degree);
        const long long items = (long long)a.shares * a.pieces * a.paths;
        for (long long n = number; n < items; n += each) {
            const int share = int(n % a.shares), piece = int(n / a.shares % a.pieces), path = int(n / a.shares / a.pieces);
            if (!b.walk.begin(a, path, piece)) continue;
            b.letters.begin(b.walk, a.letters);
            b.sums = a.partial + ((long long)path * a.shares + share) * a.steps * a.letters;
            const T *given = a.weights + ((long long)path * a.pieces + piece) * a.size;
            for (long long unit = share; unit < b.words.units; unit += a.shares) {
                b.words.take(unit);
                b.word.begin(a.letters, b.words.index);
                b.forth();
                b.begin(a, given);
                b.back(a);
            }
        }
    }

    // Numbers of checkpoints of a warp.
    static __device__ __forceinline__ long long numbers(const SignatureArgs<T> &a) {
        return (long long)((PIECE << a.lead_lag) / KEPT + KEPT) * (a.degree - 1) * WARP;
    }
    __device__ __forceinline__ void keep(int n) {
        #pragma unroll
        for (int j = 1; j <= word.length(); j++) checkpoints[((long long)n * word.length() + j - 1) * WARP] = word.c[j];
    }
    __device__ __forceinline__ void recall(int n) {
        #pragma unroll
        for (int j = 1; j <= word.length(); j++) word.c[j] = checkpoints[((long long)n * word.length() + j - 1) * WARP];
    }

    __device__ __forceinline__ void forth() {
        clear(word);
        #pragma unroll 1
        for (int q = walk.to - 1; q >= walk.from; q--) {
            const int n = walk.to - 1 - q;
            if (n % KEPT == 0) keep(n / KEPT);
            letters.seek(q);
            read(word, letters, q);
            step<T>(word);
        }
    }

    // ∂F/∂ of the words: of a suffix it belongs to the thread that would write it.
    __device__ __forceinline__ void begin(const SignatureArgs<T> &a, const T *given) {
        long long start = 0, count = 1;
        word.g[0] = T(0);
        #pragma unroll
        for (int j = 1; j <= word.length(); j++) {
            count *= a.letters;
            const bool owns = words.live && words.first == 0 && words.index < count;
            word.g[j] = owns ? given[start + words.index] : T(0);
            start += count;
        }
        #pragma unroll
        for (int l = 0; l < FIRST_LETTERS; l++) {
            const bool there = words.live && words.first + l < a.letters;
            weights[l] = there ? given[start + (words.first + l) * words.suffixes + words.index] : T(0);
        }
    }

    __device__ __forceinline__ void back(const SignatureArgs<T> &a) {
        const int room = (PIECE << a.lead_lag) / KEPT;
        #pragma unroll 1
        for (int k = (walk.to - walk.from + KEPT - 1) / KEPT - 1; k >= 0; k--) {
            const int last = walk.to - 1 - k * KEPT, count = least(KEPT, last - walk.from + 1);
            recall(k);
            #pragma unroll 1
            for (int n = 0; n < count; n++) {
                keep(room + n);
                letters.seek(last - n);
                read(word, letters, last - n);
                step<T>(word);
            }
            #pragma unroll 1
            for (int n = count - 1; n >= 0; n--) {
                recall(room + n);
                letters.seek(last - n);
                read(word, letters, last - n);
                adjoint(a, last - n);
            }
        }
    }

    __device__ __forceinline__ void adjoint(const SignatureArgs<T> &a, int q) {
        const T factor = before<T>(word);
        T by_factor = T(0), by_first[FIRST_LETTERS];
        #pragma unroll
        for (int l = 0; l < FIRST_LETTERS; l++) {
            by_first[l] = weights[l] * factor;
            if (words.first + l < a.letters) by_factor = fma(weights[l], letters.at(q, words.first + l), by_factor);
        }
        step_adjoint<T>(word, by_factor);
        T *to = sums + (long long)q * a.letters;
        add_first(a, to, by_first);
        #pragma unroll
        for (int i = 0; i < word.length(); i++) add_letter(to, int(word.letter[i]), word.by_z[i]);
    }

    // Sums over lanes, halving the numbers with the lanes: the lanes' bits 4, 3 and 2 say which number they end with.
    __device__ __forceinline__ void add_first(const SignatureArgs<T> &a, T *to, T (&v)[FIRST_LETTERS]) {
        const int lane = threadIdx.x & (WARP - 1);
        #pragma unroll
        for (int half = FIRST_LETTERS / 2, bit = WARP / 2; half > 0; half /= 2, bit /= 2) {
            const bool upper = lane & bit;
            #pragma unroll
            for (int i = 0; i < half; i++) {
                const T sent = upper ? v[i] : v[i + half], kept = upper ? v[i + half] : v[i];
                v[i] = kept + __shfl_xor_sync(FULL, sent, bit);
            }
        }
        v[0] += __shfl_xor_sync(FULL, v[0], 2);
        v[0] += __shfl_xor_sync(FULL, v[0], 1);
        const int letter = words.first + (lane >> 2);
        if (lane % 4 == 0 && letter < a.letters) to[letter] += v[0];
        __syncwarp();
    }

    // Sums over the lanes that have the same letter, in their order.
    __device__ __forceinline__ void add_letter(T *to, int letter, T value) {
        const int lane = threadIdx.x & (WARP - 1);
        unsigned same = __match_any_sync(FULL, letter);
        lanes[lane] = value;
        __syncwarp();
        if (__ffs(int(same)) - 1 == lane) {
            T sum = T(0);
            while (same) {
                sum += T(lanes[__ffs(int(same)) - 1]);
                same &= same - 1;
            }
            to[letter] += sum;
        }
        __syncwarp();
    }
};

// ∂F/∂dx: sums over shares, and over the steps of lead-lag that come of an increment.
template <class T> __device__ __forceinline__ void collect(const SignatureArgs<T> &a) {
    const long long all = (long long)a.paths * a.dim * a.gradients_pitch, each = (long long)gridDim.x * blockDim.x;
    for (long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x; n < all; n += each) {
        const int place = int(n % a.gradients_pitch), channel = int(n / a.gradients_pitch % a.dim);
        const int path = int(n / a.gradients_pitch / a.dim);
        T sum = T(0);
        for (int half = 0; half <= a.lead_lag && place < a.counts[path]; half++) {
            const long long q = ((long long)place << a.lead_lag) + half;
            const int letter = channel + (a.lead_lag && half != a.lag_first ? a.dim : 0);
            const T *at = a.partial + ((long long)path * a.shares * a.steps + q) * a.letters + letter;
            for (int share = 0; share < a.shares; share++) sum += at[share * a.steps * a.letters];
        }
        a.gradients[n] = sum;
    }
}

} // namespace goursat

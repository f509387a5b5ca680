// Signatures of pieces of paths: a warp takes 32 suffixes and FIRST_LETTERS first letters of one piece.
#pragma once
#include "signature_words.cuh"

namespace goursat {

// The words of a warp: lanes have the suffixes from 32 · block on, first letters are from 8 · chunk on.
struct Words {
    long long suffixes, blocks, units; // units of work of a piece: blocks × chunks
    long long index;
    int first;
    bool live;

    __device__ __forceinline__ void count(int letters, int degree) {
        suffixes = power(letters, degree - 1);
        blocks = (suffixes + WARP - 1) / WARP;
        units = blocks * ((letters + FIRST_LETTERS - 1) / FIRST_LETTERS);
    }
    __device__ __forceinline__ void take(long long unit) {
        const long long wanted = unit % blocks * WARP + (threadIdx.x & (WARP - 1));
        live = wanted < suffixes;
        index = live ? wanted : suffixes - 1;
        first = int(unit / blocks) * FIRST_LETTERS;
    }
};

template <class T, int M> struct SignatureForward {
    static constexpr int BYTES = Letters<T>::BYTES;

    static __device__ __forceinline__ void run(const SignatureArgs<T> &a, char *memory) {
        const int warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
        Letters<T> letters;
        letters.place(memory + warp * BYTES);
        Word<T, M> word;
        word.place(a.state + (long long)blockIdx.x * blockDim.x + threadIdx.x, (long long)gridDim.x * blockDim.x, a.degree - 1);
        Words words;
        words.count(a.letters, a.degree);
        const long long items = words.units * a.pieces * a.paths, each = (long long)gridDim.x * warps;
        for (long long n = (long long)blockIdx.x * warps + warp; n < items; n += each) {
            const int piece = int(n / words.units % a.pieces), path = int(n / words.units / a.pieces);
            Walk<T> walk;
            if (!walk.begin(a, path, piece)) continue;
            letters.begin(walk, a.letters);
            words.take(n % words.units);
            word.begin(a.letters, words.index);
            T top[FIRST_LETTERS];
            walk_words(a, walk, letters, words, word, top);
            if (words.live) store(a, words, word, top, a.out + ((long long)path * a.pieces + piece) * a.size);
        }
    }

    static __device__ __forceinline__ void walk_words(const SignatureArgs<T> &a, const Walk<T> &walk, Letters<T> &letters, const Words &words, Word<T, M> &word, T (&top)[FIRST_LETTERS]) {
        #pragma unroll
        for (int l = 0; l < FIRST_LETTERS; l++) top[l] = T(0);
        clear(word);
        #pragma unroll 1
        for (int q = walk.to - 1; q >= walk.from; q--) {
            letters.seek(q);
            read(word, letters, q);
            const T factor = before<T>(word);
            #pragma unroll
            for (int l = 0; l < FIRST_LETTERS; l++) {
                if (words.first + l < a.letters) top[l] = fma(letters.at(q, words.first + l), factor, top[l]);
            }
            step<T>(word);
        }
    }

    // A suffix is written by the word whose letters before it are the first of the alphabet.
    static __device__ __forceinline__ void store(const SignatureArgs<T> &a, const Words &words, const Word<T, M> &word, const T (&top)[FIRST_LETTERS], T *out) {
        long long start = 0, count = 1;
        #pragma unroll
        for (int j = 1; j <= word.length(); j++) {
            count *= a.letters;
            if (words.first == 0 && words.index < count) out[start + words.index] = word.c[j];
            start += count;
        }
        #pragma unroll
        for (int l = 0; l < FIRST_LETTERS; l++) {
            if (words.first + l < a.letters) out[start + (words.first + l) * words.suffixes + words.index] = top[l];
        }
    }
};

} // namespace goursat

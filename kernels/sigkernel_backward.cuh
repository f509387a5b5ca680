// Signature kernels, backward: the adjoint of the scheme, strip after strip from the last.
//
// A launch without weights goes forward: it leaves the edges between strips and, where there is room, the lanes' state
// every PERIOD steps. A launch with weights goes back: a warp takes the periods of its strip from the last, replays one,
// keeps Δ/2 and the slopes ∂k/∂h = p + (2h/3) q of its cells in shared memory, and goes back over it with the same skew:
// lane ℓ+1 is one tile ahead of lane ℓ, to which it hands the row below by shuffles.
// With a = h + h²/3, b = h²/3 and w = ∂F/∂k, in the increments D = w[i][j] - w[i+1][j] and E = w[i][j] - w[i][j+1],
//
//     growth = (a w)[i][j+1] + (a w)[i+1][j] + (b w)[i+1][j+1]   D' = D + growth   E' = E + growth   w = w[i+1][j] + D'
//
// where beyond the last row and column w is ∂F/∂k of the last corner, as k is 1 before the first.
#pragma once
#include "sigkernel_narrow_gradients.cuh"
#include "sigkernel_wave.cuh"
#include "sigkernel_wide_gradients.cuh"

namespace goursat {

// Keeps the slopes of the cells of one step.
template <class T, int R> struct Slopes {
    Shared<T> at;
    __device__ __forceinline__ void cell(int c, int r, T h3, T, T q, T f, T) { at[(c * R + r) * WARP] = fma(h3, q, f); }
};

// The gradient given for the nodes of a grid.
template <class T, int S> struct GivenNodes {
    const T *nodes;
    long long columns;
    int row, width;

    __device__ __forceinline__ T at(int r, int tile, int c) const {
        const int column = (tile << S) + c;
        const bool inside = row + r >= 0 && column >= 0 && column < width;
        return inside ? nodes[(row + r + 1) * columns + column + 1] : T(0);
    }
};

template <class T, int D, int R, int S> struct Gradients_ {
    using type = NarrowGradients<T, D, R, S>;
};
template <class T, int R, int S> struct Gradients_<T, 0, R, S> {
    using type = WideGradients<T, R, S>;
};

template <class T, int D, int R, int S, bool LL, bool GRID> struct Backward {
    using Gradients = typename Gradients_<T, D, R, S>::type;
    using W = Wave<T, D, R, S, LL>;
    static constexpr int C = W::C, RX = W::RX, U = W::U, HANDED = WARP * C * 3;
    static constexpr int BYTES =
        W::BYTES + Gradients::BYTES + (2 * HANDED + PERIOD * (C * R + RX) * WARP) * int(sizeof(T));

    W wave;
    Gradients gradients;
    Shared<T> under, over;          // what comes from the strip below and goes to the one above, WARP tiles
    Shared<T> slopes, deltas;       // of a period; ∂F/∂h takes the place of Δ/2
    T down[R], a_w[R], b_w[R];      // D, a w, b w of the cells to the right
    T w[C], across[C], rest[C];     // of the lane's first row: w, E, and what else the row above needs
    Compensated<T> first;           // w on the first row
    T seed;
    GivenNodes<T, S> given;

    __device__ __forceinline__ void place(char *memory) {
        wave.place(memory);
        gradients.place(memory + W::BYTES);
        under = Shared<T>(memory + W::BYTES + Gradients::BYTES);
        over = under + HANDED;
        slopes = over + HANDED;
        deltas = slopes + PERIOD * C * R * WARP;
    }

    __device__ __forceinline__ void begin(const WaveArgs<T> &a, const Place &p) {
        seed = T(0);
        const long long at = out_place(a, p.pair);
        if (GRID) {
            given = {a.weights + at * a.grid_rows * a.grid_columns, a.grid_columns, p.first + p.lane * R, p.tiles << S};
        } else if (p.cells) {
            seed = a.weights[at];
            const int i = a.pairing.i(p.pair), j = a.pairing.j(p.pair);
            if (a.pairing.symmetric && i != j) seed += a.weights[(long long)j * a.out_columns + i];
        }
        #pragma unroll
        for (int r = 0; r < R; r++) down[r] = T(0), a_w[r] = T(0), b_w[r] = T(0);
        #pragma unroll
        for (int c = 0; c < C; c++) w[c] = seed, across[c] = T(0), rest[c] = T(0);
        first = {seed, T(0)};
        gradients.begin();
    }

    // Forward once more over steps t to t + PERIOD - 1.
    __device__ __forceinline__ void replay(const Place &p, const T *states, int t) {
        const int in_warp = threadIdx.x & (WARP - 1);
        wave.load(states, t);
        #pragma unroll 1
        for (int g = 0; g < PERIOD; g += U) {
            wave.source.seek(t + g);
            T h[U][RX];
            wave.source.fetch(t + g, h);
            #pragma unroll
            for (int i = 0; i < U; i++)
                #pragma unroll
                for (int e = 0; e < RX; e++) deltas[((g + i) * RX + e) * WARP + in_warp] = h[i][e];
            wave.steps(p, t + g, h, [&](int i) { return Slopes<T, R>{slopes + ((g + i) * C * R * WARP + in_warp)}; });
        }
    }

    // Step t backwards, the i-th of its period.
    __device__ __forceinline__ void step(const Place &p, int t, int i) {
        const int in_warp = threadIdx.x & (WARP - 1), slot = t & (WARP - 1), tile = p.tile(t);
        T below_w[C], below_across[C], below_rest[C];
        receive(p, slot, below_w, below_across, below_rest);
        T y_time = T(0);
        if (LL && wave.parity.time) y_time = wave.parity.y_time[p.y_place(tile)];
        T h[RX], gradient[RX];
        #pragma unroll
        for (int e = 0; e < RX; e++) h[e] = deltas[(i * RX + e) * WARP + in_warp], gradient[e] = T(0);
        const Shared<T> slope = slopes + (i * C * R * WARP + in_warp);
        #pragma unroll
        for (int c = C - 1; c >= 0; c--) {
            const unsigned column = LL ? wave.parity.column(tile, c) : 0u;
            T v = below_w[c], e = below_across[c], more = below_rest[c];
            #pragma unroll
            for (int r = R - 1; r >= 0; r--) {
                const T hh = wave.half_delta(h[r >> S], r >> S, r, column, y_time);
                const T b = hh * (hh * third<T>()), a = hh + b;
                T growth = a_w[r] + more;
                if (GRID) growth += given.at(r, tile, c);
                down[r] += growth;
                e += growth;
                v += down[r];
                const bool unlike = LL && (wave.parity.rows >> r ^ column) & 1;
                if (!unlike) gradient[r >> S] = fma(v, T(slope[(c * R + r) * WARP]), gradient[r >> S]);
                if (r == 0) v = first.add(e);
                a_w[r] = a * v;
                more = a_w[r] + b_w[r];
                b_w[r] = b * v;
            }
            w[c] = v, across[c] = e, rest[c] = more;
        }
        #pragma unroll
        for (int e = 0; e < RX; e++) deltas[(i * RX + e) * WARP + in_warp] = gradient[e];
        gradients.step(p, t, gradient, wave.source);
        if (in_warp == 0) {
            #pragma unroll
            for (int c = 0; c < C; c++) {
                over[(slot * C + c) * 3] = w[c];
                over[(slot * C + c) * 3 + 1] = across[c];
                over[(slot * C + c) * 3 + 2] = rest[c];
            }
        }
    }

    // What the lane below hands up, or the strip below, or the end of the grid.
    __device__ __forceinline__ void receive(const Place &p, int slot, T (&v)[C], T (&e)[C], T (&more)[C]) {
        #pragma unroll
        for (int c = 0; c < C; c++) {
            v[c] = __shfl_down_sync(FULL, w[c], 1, p.lanes);
            e[c] = __shfl_down_sync(FULL, across[c], 1, p.lanes);
            more[c] = __shfl_down_sync(FULL, rest[c], 1, p.lanes);
            if (p.lane != p.lanes - 1) continue;
            v[c] = seed, e[c] = T(0), more[c] = T(0);
            if (p.strip == p.strips - 1) continue;
            v[c] = under[(slot * C + c) * 3];
            e[c] = under[(slot * C + c) * 3 + 1];
            more[c] = under[(slot * C + c) * 3 + 2];
        }
    }

    // From the strip below, for steps t to t + WARP - 1; t is a multiple of WARP.
    __device__ __forceinline__ void stage_under(const WaveArgs<T> &a, const Place &p, int t) {
        const int in_warp = threadIdx.x & (WARP - 1), tile = t + in_warp - (WARP - 1) - p.offset;
        const T *from = a.handed + p.item * a.handed_item;
        const bool there = tile >= 0 && tile < p.tiles;
        __syncwarp();
        #pragma unroll
        for (int n = 0; n < 3 * C; n++) {
            const T end = n % 3 ? T(0) : seed;
            under[in_warp * 3 * C + n] = there ? from[(long long)tile * 3 * C + n] : end;
        }
        __syncwarp();
    }

    // To the strip above, of the same steps.
    __device__ __forceinline__ void flush_over(const WaveArgs<T> &a, const Place &p, int t) {
        const int in_warp = threadIdx.x & (WARP - 1), tile = t + in_warp - p.offset;
        T *to = a.handed + p.item * a.handed_item;
        __syncwarp();
        if (tile >= 0 && tile < p.tiles) {
            #pragma unroll
            for (int n = 0; n < 3 * C; n++) to[(long long)tile * 3 * C + n] = over[in_warp * 3 * C + n];
        }
    }

    __device__ __forceinline__ void sweep(const WaveArgs<T> &a, const Place &p, const T *states) {
        const int in_warp = threadIdx.x & (WARP - 1);
        unsigned *progress = a.progress + (long long)p.item * a.strips + p.strip;
        const bool alone = p.lanes < WARP;
        if (p.strip == 0) wave.stage_above(a, p, 0 - WARP);
        #pragma unroll 1
        for (int t = p.steps - PERIOD; t >= 0; t -= PERIOD) {
            const int block = t & ~(WARP - 1);
            if (!alone && (t & (WARP - 1)) == WARP - PERIOD) {
                if (p.strip > 0) wave.stage_above(a, p, block);
                if (p.strip < p.strips - 1) {
                    await(progress + 1, most(0, p.tiles - most(0, block - (WARP - 1) - p.offset)));
                    stage_under(a, p, block);
                }
            }
            replay(p, states, t);
            #pragma unroll 1
            for (int i = PERIOD - 1; i >= 0; i--) step(p, t + i, i);
            __syncwarp();
            gradients.period(a, p, t, deltas, wave.source);
            __syncwarp();
            if (p.strip > 0 && t == block) {
                flush_over(a, p, block);
                publish(progress, most(0, p.tiles - most(0, block - p.offset)), in_warp);
            }
        }
        gradients.end(a, p);
    }

    static __device__ __forceinline__ void run(const WaveArgs<T> &a, char *memory) {
        const int in_warp = threadIdx.x & (WARP - 1), warp = threadIdx.x / WARP;
        const int warps = blockDim.x / WARP;
        Backward back;
        back.place(memory + warp * BYTES);
        const unsigned count = items(a);
        for (;;) {
            const unsigned number = draw(a.ticket, in_warp);
            if (number >= count * a.strips) return;
            const int turn = number / count;
            Place p;
            if (!locate<R, S>(a, number % count, a.weights ? a.strips - 1 - turn : turn, p)) continue;
            T *states = a.states ? a.states + p.item * a.state_item + p.strip * a.state_strip : nullptr;
            const bool forth = !a.weights;
            if (!forth && !states) states = a.scratch + (long long)(blockIdx.x * warps + warp) * a.state_strip;
            if (forth || !a.states) {
                Nothing nothing;
                back.wave.sweep(a, p, states, forth, forth && p.strip < p.strips - 1, nothing);
            } else {
                back.wave.begin(a, p);
            }
            if (forth) continue;
            back.begin(a, p);
            back.sweep(a, p, states);
        }
    }
};

} // namespace goursat

// One strip of the Goursat scheme, forward. With h = Δ/2 (Day 1966; Salvi et al. 2021), and of a cell
//
//     l = k[i+1][j]   u = k[i][j+1]   d = k[i][j]     e = u - d   s = l - d     p = l + u   q = p + d
//
// the growth g = h (p + (h/3) q) adds to both increments: e' = e + g along the row below, s' = s + g along the column
// to the right, and k[i+1][j+1] = u + s'. Increments are carried in both precisions: nothing of them is lost where k is
// large, and of k itself little, since the last row of every lane is summed anew, with compensation, from its increments.
#pragma once
#include "sigkernel_narrow.cuh"
#include "sigkernel_wide.cuh"

namespace goursat {

template <class T> constexpr T third() { return T(1) / T(3); }

// What a lane knows of the parities of lead-lag: cells (i, j) of transformed increments of unlike parity have no part
// of <dx, dy>, only that of time.
template <class T, int RX> struct Parity {
    unsigned rows;       // bit r: of row r of the lane
    int y_order, C;
    bool time;
    T x_time[RX];
    const T *y_time;     // by place

    template <int R, int S> __device__ __forceinline__ void begin(const WaveArgs<T> &a, const Place &p, const T *x, const T *y) {
        rows = 0;
        y_order = a.y_order;
        C = 1 << S;
        time = a.time && a.lead_lag;
        const int row = p.first + p.lane * R;
        #pragma unroll
        for (int r = 0; r < R; r++) rows |= unsigned(row + r >= 0 && a.lead_lag ? (row + r) >> a.x_order & 1 : 0) << r;
        #pragma unroll
        for (int e = 0; e < RX; e++) x_time[e] = time ? x[(a.channels - 1) * a.x.pitch + p.x_place(row + (e << S))] : T(0);
        y_time = y + (a.channels - 1) * a.y.pitch;
        if (!a.lead_lag) y_order = 31;
    }
    // Of column c of a tile.
    __device__ __forceinline__ unsigned column(int tile, int c) const {
        const int column = tile * C + c;
        return column < 0 || y_order == 31 ? 0u : unsigned(column >> y_order & 1);
    }
};

struct Nothing {
    template <class T> __device__ __forceinline__ void cell(int, int, T, T, T, T, T) {}
};

template <class T, int D, int RX, int S> struct Source_ {
    using type = Narrow<T, D, RX, S>;
};
template <class T, int RX, int S> struct Source_<T, 0, RX, S> {
    using type = Wide<T, RX, S>;
};

// D channels at most (0: any), R rows a lane, tiles of R × 2^S cells of which 2^S × 2^S share an increment of both sides;
// LL: may be lead-lag.
template <class T, int D, int R, int S, bool LL> struct Wave {
    using Source = typename Source_<T, D, (R >> S), S>::type;
    static constexpr int C = 1 << S, RX = R >> S, U = Source::U;
    static constexpr int EDGES = WARP * C * 2;                    // numbers of a ring of edges
    static constexpr int STATE = 2 * R + 2 * C + 3;               // numbers of a lane's state
    static constexpr int KEPT = U > 2 ? U * RX * WARP : 0;        // Δ/2 of several steps is kept in shared memory
    static constexpr int BYTES = Source::BYTES + (2 * EDGES + KEPT) * int(sizeof(T));

    Source source;
    Parity<T, LL ? RX : 1> parity;
    Shared<T> kept;
    Shared<T> above, below;          // edges of WARP tiles: the row above the strip, and the strip's own last row
    T k[R], s[R];                    // edge at the left of the lane's rows
    T bottom[C], along[C];           // k and its increment on the lane's last row, of the tile before
    T corner;
    Compensated<T> last;             // k on the last row

    __device__ __forceinline__ void place(char *memory) {
        source.place(memory);
        above = Shared<T>(memory + Source::BYTES);
        below = above + EDGES;
        kept = below + EDGES;
    }

    __device__ __forceinline__ void begin(const WaveArgs<T> &a, const Place &p) {
        const T *x = a.x.increments + a.pairing.i(p.pair) * a.x.pitch * a.channels;
        const T *y = a.y.increments + a.pairing.j(p.pair) * a.y.pitch * a.channels;
        if (LL) parity.template begin<R, S>(a, p, x, y);
        source.begin(x, a.x.pitch, y, a.y.pitch, LL && a.lead_lag ? a.channels - a.time : a.channels, p, p.first + p.lane * R);
        #pragma unroll
        for (int r = 0; r < R; r++) k[r] = T(1), s[r] = T(0);
        #pragma unroll
        for (int c = 0; c < C; c++) bottom[c] = T(1), along[c] = T(0);
        corner = T(1);
        last = {T(1), T(0)};
    }

    // Δ/2 of a cell.
    __device__ __forceinline__ T half_delta(T h, int e, int r, unsigned column, T y_time) const {
        if (!LL) return h;
        const T time = parity.x_time[LL ? e : 0] * y_time;
        return (parity.rows >> r ^ column) & 1 ? time : h + time;
    }

    // Step t, of which `slot` = t % WARP; h: of the lane's increments of x and the tile's one of y.
    template <class Record>
    __device__ __forceinline__ void step(const Place &p, int t, const T (&h)[RX], Record &&record) {
        const int slot = t & (WARP - 1), tile = p.tile(t);
        T top[C], increment[C];
        #pragma unroll
        for (int c = 0; c < C; c++) {
            top[c] = __shfl_up_sync(FULL, bottom[c], 1, p.lanes);
            increment[c] = __shfl_up_sync(FULL, along[c], 1, p.lanes);
            const T first = above[(slot * C + c) * 2], first_increment = above[(slot * C + c) * 2 + 1];
            if (p.lane == 0) top[c] = first, increment[c] = first_increment;
        }
        T y_time = T(0);
        if (LL && parity.time) y_time = parity.y_time[p.y_place(tile)];
        T before = corner;
        #pragma unroll
        for (int c = 0; c < C; c++) {
            const unsigned column = LL ? parity.column(tile, c) : 0u;
            T u = top[c], e = increment[c], d = before;
            #pragma unroll
            for (int r = 0; r < R; r++) {
                const T hh = half_delta(h[r >> S], r >> S, r, column, y_time), h3 = hh * third<T>();
                const T l = k[r], pp = l + u, q = pp + d, f = fma(h3, q, pp);
                e = fma(hh, f, e);
                s[r] = fma(hh, f, s[r]);
                d = l;
                u = u + s[r];
                if (r == R - 1) u = last.add(e);
                record.cell(c, r, h3, pp, q, f, u);
                k[r] = u;
            }
            before = top[c];
            bottom[c] = u;
            along[c] = e;
        }
        corner = before;
        if (p.lane == WARP - 1) {
            #pragma unroll
            for (int c = 0; c < C; c++) {
                below[(slot * C + c) * 2] = bottom[c];
                below[(slot * C + c) * 2 + 1] = along[c];
            }
        }
    }

    // Steps t to t + U - 1, told to `record(i)`; a loop where they are many, as code is not free either.
    template <class Records>
    __device__ __forceinline__ void steps(const Place &p, int t, const T (&h)[U][RX], Records record) {
        if (KEPT == 0) {
            #pragma unroll
            for (int i = 0; i < U; i++) step(p, t + i, h[i], record(i));
            return;
        }
        const int in_warp = threadIdx.x & (WARP - 1);
        #pragma unroll
        for (int i = 0; i < U; i++)
            #pragma unroll
            for (int e = 0; e < RX; e++) kept[(i * RX + e) * WARP + in_warp] = h[i][e];
        #pragma unroll 1
        for (int i = 0; i < U; i++) {
            T now[RX];
            #pragma unroll
            for (int e = 0; e < RX; e++) now[e] = kept[(i * RX + e) * WARP + in_warp];
            step(p, t + i, now, record(i));
        }
    }

    // The row above, for steps t to t + WARP - 1; t is a multiple of WARP.
    __device__ __forceinline__ void stage_above(const WaveArgs<T> &a, const Place &p, int t) {
        const int in_warp = threadIdx.x & (WARP - 1), tile = t + in_warp - p.offset;
        const T *from = a.edges + p.item * a.edge_item + (p.strip - 1) * a.edge_strip;
        const bool there = p.strip > 0 && tile >= 0 && tile < p.tiles;
        __syncwarp();
        #pragma unroll
        for (int n = 0; n < 2 * C; n++) {
            above[in_warp * 2 * C + n] = there ? from[(long long)tile * 2 * C + n] : T(1 - n % 2);
        }
        __syncwarp();
    }

    // The last row, of the WARP steps before `t`.
    __device__ __forceinline__ void flush_below(const WaveArgs<T> &a, const Place &p, int t) {
        const int in_warp = threadIdx.x & (WARP - 1), tile = t - 2 * WARP + 1 + in_warp - p.offset;
        T *to = a.edges + p.item * a.edge_item + p.strip * a.edge_strip;
        __syncwarp();
        if (tile >= 0 && tile < p.tiles) {
            #pragma unroll
            for (int n = 0; n < 2 * C; n++) to[(long long)tile * 2 * C + n] = below[in_warp * 2 * C + n];
        }
    }

    template <class Visit> __device__ __forceinline__ void visit_state(Visit visit) {
        int n = 0;
        #pragma unroll
        for (int r = 0; r < R; r++) visit(n++, k[r]), visit(n++, s[r]);
        #pragma unroll
        for (int c = 0; c < C; c++) visit(n++, bottom[c]), visit(n++, along[c]);
        visit(n++, corner);
        visit(n++, last.sum);
        visit(n++, last.rest);
    }
    __device__ __forceinline__ void save(T *states, int t) {
        T *to = states + (long long)(t / PERIOD) * STATE * WARP + (threadIdx.x & (WARP - 1));
        visit_state([&](int n, T &number) { to[n * WARP] = number; });
    }
    __device__ __forceinline__ void load(const T *states, int t) {
        const T *from = states + (long long)(t / PERIOD) * STATE * WARP + (threadIdx.x & (WARP - 1));
        visit_state([&](int n, T &number) { number = from[n * WARP]; });
    }

    // The whole strip. `states`: where the lanes' states go, or null; `hand`: give the last row to the next strip.
    template <class Record>
    __device__ __forceinline__ void sweep(const WaveArgs<T> &a, const Place &p, T *states, bool wait, bool hand, Record &record) {
        unsigned *progress = a.progress + (long long)p.item * a.strips + p.strip;
        begin(a, p);
        source.rewind();
        stage_above(a, p, 0 - WARP);    // 1 and 0, until there is more
        #pragma unroll 1
        for (int t = 0; t < p.steps; t += PERIOD) {
            if (p.strip > 0 && (t & (WARP - 1)) == 0) {
                if (wait) await(progress - 1, most(0, least(p.tiles, t + WARP - p.offset)));
                stage_above(a, p, t);
            }
            if (states) save(states, t);
            #pragma unroll 1
            for (int g = t; g < t + PERIOD; g += U) {
                source.advance(g);
                T h[U][RX];
                source.fetch(g, h);
                steps(p, g, h, [&](int) -> Record & { return record; });
            }
            if (hand && ((t + PERIOD) & (WARP - 1)) == 0) {
                flush_below(a, p, t + PERIOD);
                publish(progress, most(0, t + PERIOD - WARP + 1 - p.offset), threadIdx.x & (WARP - 1));
            }
        }
    }
};

} // namespace goursat

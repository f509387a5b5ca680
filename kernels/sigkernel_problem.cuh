// The signature kernel on a grid of refined cells: what a launch is given, and where a warp stands in it.
//
// The refined rows of a pair are cut into strips of `lanes` · R, counted from the last: one warp sweeps a strip, lane ℓ
// holding R consecutive rows and working one tile of columns behind lane ℓ-1. Rows are padded at the front with zero
// increments, where k is exactly 1. Pairs of few rows share a warp, `lanes` each; then there is one strip.
// Strips are given out by tickets, all first strips before all second ones: a warp waits only for strips that have
// begun, so that there is no deadlock, however few blocks are resident.
#pragma once
#include "increments.cuh"

namespace goursat {

template <class T> struct Side {
    const T *increments; // (path, channel, place), see increments.cuh
    const int *counts;
    long long pitch;
};

template <class T> struct WaveArgs {
    Side<T> x, y;
    Pairing pairing;
    int channels, time;     // time: the last channel is time
    int x_order, y_order, lead_lag;
    int lanes, strips;      // lanes of a pair; the most strips of a pair, 1 if lanes < 32
    unsigned *ticket;       // starts as 0
    unsigned *progress;     // (item, strip): tiles that the next strip may use; starts as 0

    T *out;                 // k of (i, j) at i · out_columns + j; out_columns 0: at i
    int out_columns;
    T *grid;                // (pair, rows + 1, columns + 1) for grids
    long long grid_rows, grid_columns;

    // Lower edges of strips, (item, strip, column, {k, its increment}). A strip stride of 0 keeps the last one alone.
    T *edges;
    long long edge_item, edge_strip;
    // State of the lanes every PERIOD steps, (item, strip, period, number, lane): for going back. Null: not kept.
    T *states;
    long long state_item, state_strip;

    // Going back: weights, laid out as the results are; then what a strip hands to the one above it,
    // (item, column, {∂F/∂k, its increment, the rest}); gradients of increments (pair, channel, tile).
    const T *weights;
    T *handed;
    long long handed_item;
    T *scratch;             // a strip's states for each warp of the grid, where `states` were not kept
    T *x_gradients, *y_gradients;
    long long x_tiles, y_tiles;
};

// Steps between two states that are kept.
constexpr int PERIOD = 8;

// Where a warp is: its pair (of this lane's group), its strip. All lanes of a warp have the same `steps`.
struct Place {
    int lanes, lane, group;      // of a pair; this lane within it; which pair of the warp
    int pair, item, strip, strips;
    bool live;                   // not a repetition of another pair to fill the warp
    bool cells;                  // some; otherwise k is 1, whatever numbers the paths are made of
    int x_shift, y_shift;        // a row's, a tile's increment
    int tiles, steps, offset;    // lane ℓ works on tile t - ℓ - offset at step t
    int first;                   // row of lane 0; negative: padding

    __device__ __forceinline__ int tile(int step) const { return step - lane - offset; }
    __device__ __forceinline__ int x_place(int row) const { return row < 0 || !cells ? 0 : 1 + (row >> x_shift); }
    __device__ __forceinline__ int y_place(int tile) const {
        return tile < 0 || tile >= tiles || !cells ? 0 : 1 + (tile >> y_shift);
    }
};

// Takes the strip `number` counts, by R rows a lane and tiles of 2^S columns; false if there is no such strip.
template <int R, int S, class T> __device__ __forceinline__ bool locate(const WaveArgs<T> &a, int item, int strip, Place &p) {
    const int in_warp = threadIdx.x & (WARP - 1), each = WARP / a.lanes;
    p.lanes = a.lanes;
    p.lane = in_warp & (a.lanes - 1);
    p.group = in_warp / a.lanes;
    const int wanted = item * each + p.group;
    p.pair = least(wanted, a.pairing.pairs - 1);
    p.live = wanted < a.pairing.pairs && !a.pairing.skipped(p.pair);
    p.item = item;
    p.strip = strip;
    p.x_shift = a.x_order + a.lead_lag;
    p.y_shift = a.y_order + a.lead_lag - S;
    const int rows = a.x.counts[a.pairing.i(p.pair)] << p.x_shift, tall = a.lanes * R;
    p.tiles = a.y.counts[a.pairing.j(p.pair)] << p.y_shift;
    p.cells = rows && p.tiles;
    p.strips = most(1, (rows + tall - 1) / tall);
    p.first = strip * tall - (p.strips * tall - rows);
    int longest = p.tiles, any = p.live && strip < p.strips;
    for (int width = a.lanes; width < WARP; width *= 2) {
        longest = most(longest, __shfl_xor_sync(FULL, longest, width));
        any |= __shfl_xor_sync(FULL, any, width);
    }
    const int whole = most(a.lanes, PERIOD);
    p.steps = (longest + a.lanes - 1 + whole - 1) / whole * whole;
    p.offset = p.steps - (a.lanes - 1) - p.tiles;
    return any != 0;
}

template <class T> __device__ __forceinline__ long long out_place(const WaveArgs<T> &a, int pair) {
    const Pairing &p = a.pairing;
    return a.out_columns ? (long long)p.i(pair) * a.out_columns + p.j(pair) : p.i(pair);
}

// Items of a launch: warps' worth of pairs.
template <class T> __device__ __forceinline__ int items(const WaveArgs<T> &a) {
    const int each = WARP / a.lanes;
    return (a.pairing.pairs + each - 1) / each;
}

} // namespace goursat

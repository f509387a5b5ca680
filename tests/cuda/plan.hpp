// What a caller does around the kernels: prepares increments, chooses a kernel and its sizes, launches, gathers.
// (src/cuda does the same on a real device.)
#pragma once
#include "cases.hpp"
#include "device.hpp"
#include "shim.hpp"

#include "../../kernels/increments.cu"
#include "../../kernels/sigkernel_forward.cu"

struct Machine {
    shim::Order order = shim::Order::forward;
    unsigned blocks = 2, warps = 2;
    int pairs_a_launch = 1 << 30;
    bool keep_states = true;

    template <class Args> void run(void (*kernel)(Args), const Args &args, size_t shared_a_warp) const {
        shim::launch(blocks, 32 * warps, shared_a_warp * warps, [=] { kernel(args); }, {order, blocks});
    }
};

template <class T> struct Kernel {
    const char *name;
    void (*run)(goursat::WaveArgs<T>);
    int channels; // 0: any
    int R, S;
    bool ll;
    size_t shared;
    int state;
};

// One side on the device: its increments.
template <class T> struct Increments {
    Device<T> paths, values;
    Device<int> counts, lengths;
    Device<long long> starts;
    long long pitch;
    int channels;

    Increments(const Machine &m, const Paths &p, const Asked &asked, double scale)
        : paths(p.as<T>()), counts(size_t(p.count)), lengths(std::vector<int>(p.lengths.begin(), p.lengths.end())),
          starts(std::vector<long long>(p.starts.begin(), p.starts.end())), pitch(p.length), channels(p.dim + asked.time) {
        values = Device<T>(size_t(p.count) * channels * size_t(pitch));
        goursat::PathsArgs<T> a{};
        a.paths = paths.data();
        a.starts = p.starts.empty() ? nullptr : starts.data();
        a.lengths = lengths.data();
        for (int i = 0; i < 3; i++) a.strides[i] = p.strides[i];
        a.increments = values.data();
        a.counts = counts.data();
        a.pitch = pitch;
        a.count = p.count;
        a.length = p.length;
        a.dim = p.dim;
        a.time = asked.time;
        a.lead_lag = asked.lead_lag;
        a.scale = scale;
        a.end_time = asked.end();
        void (*kernel)(goursat::PathsArgs<T>) = nullptr;
        if constexpr (sizeof(T) == 4) kernel = increments_f32;
        else kernel = increments_f64;
        m.run(kernel, a, 0);
    }

    goursat::Side<T> side() const { return {values.data(), counts.data(), pitch}; }
};

inline double scale_of(const Asked &asked) { return std::ldexp(1.0, -1 - asked.x_order - asked.y_order); }

inline int most_of(const std::vector<int64_t> &lengths) {
    int64_t most = 1;
    for (int64_t l : lengths) most = std::max(most, l);
    return int(most);
}

// A kernel call on the device, launch after launch.
template <class T> struct Call {
    const Machine &m;
    const Paths &px, &py;
    const Asked &asked;
    Increments<T> x, y;
    long rows, columns; // refined cells of the largest pair

    Call(const Machine &m, const Paths &px, const Paths &py, const Asked &asked)
        : m(m), px(px), py(py), asked(asked), x(m, px, asked, scale_of(asked)), y(m, py, asked, 1),
          rows(long(most_of(px.lengths) - 1) << (asked.x_order + asked.lead_lag)),
          columns(long(most_of(py.lengths) - 1) << (asked.y_order + asked.lead_lag)) {}

    // Lanes of a pair: as few as hold its rows.
    int lanes(const Kernel<T> &kernel) const {
        int lanes = 8;
        while (lanes < 32 && long(lanes) * kernel.R < rows) lanes *= 2;
        return lanes;
    }
    int strips(const Kernel<T> &kernel) const {
        const long tall = long(lanes(kernel)) * kernel.R;
        return int(std::max(1l, (rows + tall - 1) / tall));
    }
    long steps(const Kernel<T> &kernel) const {
        const long whole = lanes(kernel), tiles = columns >> kernel.S;
        return (tiles + whole - 1 + whole - 1) / whole * whole;
    }

    goursat::WaveArgs<T> args(const Kernel<T> &kernel, const goursat::Pairing &pairing) const {
        goursat::WaveArgs<T> a{};
        a.x = x.side();
        a.y = y.side();
        a.pairing = pairing;
        a.channels = x.channels;
        a.time = asked.time;
        a.x_order = asked.x_order;
        a.y_order = asked.y_order;
        a.lead_lag = asked.lead_lag;
        a.lanes = lanes(kernel);
        a.strips = strips(kernel);
        a.out_columns = asked.gram ? py.count : 0;
        return a;
    }

    // Calls `launch` with each part of the pairs; Gram matrices are cut into blocks of rows and columns.
    template <class F> void parts(F launch) const {
        if (!asked.gram) {
            for (int i = 0; i < px.count; i += std::min(m.pairs_a_launch, px.count - i)) {
                launch(goursat::Pairing{i, 0, 0, std::min(m.pairs_a_launch, px.count - i), 0});
            }
            return;
        }
        const int width = std::min(m.pairs_a_launch, py.count);
        const int height = width ? std::max(1, std::min(m.pairs_a_launch / width, px.count)) : 1;
        for (int i = 0; i < px.count && width; i += height) {
            for (int j = 0; j < py.count; j += width) {
                const int w = std::min(width, py.count - j), h = std::min(height, px.count - i);
                launch(goursat::Pairing{i, j, w, w * h, asked.symmetric});
            }
        }
    }

    std::vector<T> forward(const Kernel<T> &kernel) const {
        Device<T> out(size_t(px.count) * (asked.gram ? py.count : 1));
        parts([&](const goursat::Pairing &pairing) {
            auto a = args(kernel, pairing);
            a.out = out.data();
            const int items = pairing.pairs / (32 / a.lanes) + 1;
            Device<unsigned> counters(1 + size_t(items) * a.strips);
            counters.zero();
            a.ticket = counters.data();
            a.progress = a.ticket + 1;
            a.edge_item = columns * 2;
            Device<T> edges(a.strips > 1 ? size_t(items * a.edge_item) : 0);
            a.edges = edges.data();
            m.run(kernel.run, a, kernel.shared);
        });
        return out.host();
    }

    std::vector<T> grid(const Kernel<T> &kernel) const {
        const long long r = (px.length - 1) * (1ll << (asked.x_order + asked.lead_lag)) + 1;
        const long long c = (py.length - 1) * (1ll << (asked.y_order + asked.lead_lag)) + 1;
        Device<T> out(size_t(px.count * r * c));
        parts([&](const goursat::Pairing &pairing) {
            auto a = args(kernel, pairing);
            a.grid = out.data();
            a.grid_rows = r;
            a.grid_columns = c;
            const int items = pairing.pairs / (32 / a.lanes) + 1;
            Device<unsigned> counters(1 + size_t(items) * a.strips);
            counters.zero();
            a.ticket = counters.data();
            a.progress = a.ticket + 1;
            a.edge_item = columns * 2;
            Device<T> edges(a.strips > 1 ? size_t(items * a.edge_item) : 0);
            a.edges = edges.data();
            if constexpr (sizeof(T) == 4) m.run(sigkernel_frame_f32, a, 0);
            else m.run(sigkernel_frame_f64, a, 0);
            m.run(kernel.run, a, kernel.shared);
        });
        return out.host();
    }
};

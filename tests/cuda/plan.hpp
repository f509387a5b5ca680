// What a caller does around the kernels: prepares increments, chooses a kernel and its sizes, launches, gathers.
#pragma once
#include "cases.hpp"
#include "device.hpp"
#include "shim.hpp"

#include "../../kernels/increments.cu"
#include "../../kernels/sigkernel_forward.cu"
#include "../../kernels/sigkernel_tensor.cu"
#include "../../kernels/sigkernel_backward.cu"

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
    int channels; // 0: any; TENSOR_CORES
    int R, S;
    bool ll;
    size_t shared;
    int state;
    bool back;
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

    // Lanes of a pair: as few as hold its rows; at least PERIOD on the way back.
    int lanes(const Kernel<T> &kernel) const {
        int lanes = kernel.back ? 8 : 4;
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

    // What all launches over some pairs need: counters, and edges between strips, of which the last or all are kept.
    struct Workspace {
        Device<unsigned> counters;
        Device<T> edges;

        Workspace(goursat::WaveArgs<T> &a, long columns, bool keep) {
            const size_t items = size_t((a.pairing.pairs + 32 / a.lanes - 1) / (32 / a.lanes));
            counters = Device<unsigned>(1 + items * size_t(a.strips));
            a.ticket = counters.data();
            a.progress = a.ticket + 1;
            a.edge_strip = keep ? columns * 2 : 0;
            a.edge_item = keep ? a.edge_strip * (a.strips - 1) : columns * 2;
            edges = Device<T>(a.strips > 1 ? items * size_t(a.edge_item) : 0);
            a.edges = edges.data();
            counters.zero();
        }
    };

    std::vector<T> forward(const Kernel<T> &kernel) const {
        Device<T> out(size_t(px.count) * (asked.gram ? py.count : 1));
        parts([&](const goursat::Pairing &pairing) {
            auto a = args(kernel, pairing);
            a.out = out.data();
            Workspace workspace(a, columns, false);
            m.run(kernel.run, a, kernel.shared);
        });
        return out.host();
    }

    void shape_grid(goursat::WaveArgs<T> &a) const {
        a.grid_rows = (px.length - 1) * (1ll << (asked.x_order + asked.lead_lag)) + 1;
        a.grid_columns = (py.length - 1) * (1ll << (asked.y_order + asked.lead_lag)) + 1;
    }

    std::vector<T> grid(const Kernel<T> &kernel) const {
        goursat::WaveArgs<T> shape{};
        shape_grid(shape);
        Device<T> out(size_t(px.count * shape.grid_rows * shape.grid_columns));
        parts([&](const goursat::Pairing &pairing) {
            auto a = args(kernel, pairing);
            a.grid = out.data();
            shape_grid(a);
            Workspace workspace(a, columns, false);
            if constexpr (sizeof(T) == 4) m.run(sigkernel_frame_f32, a, 0);
            else m.run(sigkernel_frame_f64, a, 0);
            m.run(kernel.run, a, kernel.shared);
        });
        return out.host();
    }

    struct Gradients {
        std::vector<T> x, y;
    };

    Gradients backward(const Kernel<T> &back, const std::vector<double> &weights, int wrt = 3) const {
        Device<T> given(std::vector<T>(weights.begin(), weights.end()));
        Sums of_x(px, x), of_y(py, y);
        parts([&](const goursat::Pairing &pairing) {
            auto a = args(back, pairing);
            const size_t items = size_t((pairing.pairs + 32 / a.lanes - 1) / (32 / a.lanes));
            Workspace workspace(a, columns, true);
            a.state_strip = steps(back) / goursat::PERIOD * back.state * 32;
            a.state_item = a.state_strip * a.strips;
            Device<T> states(m.keep_states ? items * size_t(a.state_item) : m.blocks * m.warps * size_t(a.state_strip));
            a.states = m.keep_states ? states.data() : nullptr;
            m.run(back.run, a, back.shared);

            workspace.counters.zero();
            if (!m.keep_states) a.scratch = states.data();
            a.weights = given.data();
            shape_grid(a);
            a.handed_item = (columns >> back.S) * 3 << back.S;
            Device<T> handed(a.strips > 1 ? items * size_t(a.handed_item) : 0);
            a.handed = handed.data();
            a.x_tiles = rows >> back.S;
            a.y_tiles = columns >> back.S;
            const size_t each = size_t(pairing.pairs) * size_t(px.dim);
            Device<T> x_gradients(wrt & 1 ? each * size_t(a.x_tiles) : 0), y_gradients(wrt & 2 ? each * size_t(a.y_tiles) : 0);
            a.x_gradients = x_gradients.data();
            a.y_gradients = y_gradients.data();
            m.run(back.run, a, back.shared);
            const int shift = asked.lead_lag - back.S;
            if (wrt & 1) of_x.gather(*this, pairing, a.x_gradients, a.x_tiles, asked.x_order + shift, false, scale_of(asked));
            if (wrt & 2) of_y.gather(*this, pairing, a.y_gradients, a.y_tiles, asked.y_order + shift, true, 1);
        });
        Gradients result;
        if (wrt & 1) result.x = of_x.scatter(m, asked.symmetric ? &of_y : nullptr);
        if (wrt & 2 && !asked.symmetric) result.y = of_y.scatter(m, nullptr);
        return result;
    }

    // ∂F/∂dx of one side, summed over launches.
    struct Sums {
        const Paths &paths;
        const Increments<T> &increments;
        long long pitch;
        Device<T> sums;

        Sums(const Paths &paths, const Increments<T> &increments)
            : paths(paths), increments(increments), pitch(std::max(1, paths.length - 1)),
              sums(size_t(paths.count) * paths.dim * size_t(pitch)) {
            sums.zero();
        }

        void gather(const Call &call, const goursat::Pairing &pairing, const T *gradients, long long tiles, int fold, bool of_y, double scale) {
            goursat::GatherArgs<T> a{gradients, sums.data(), increments.counts.data(), tiles, pitch, pairing, paths.count, paths.dim, fold, of_y, T(scale)};
            if constexpr (sizeof(T) == 4) call.m.run(gather_f32, a, 0);
            else call.m.run(gather_f64, a, 0);
        }

        std::vector<T> scatter(const Machine &m, const Sums *more) {
            const bool packed = !paths.starts.empty();
            size_t size = size_t(paths.count) * paths.length * paths.dim;
            if (packed) size = paths.count ? size_t(paths.starts.back() + paths.lengths.back() * paths.dim) : 0;
            Device<T> gradient(size);
            goursat::ScatterArgs<T> a{sums.data(), more ? more->sums.data() : nullptr, gradient.data(), packed ? increments.starts.data() : nullptr,
                                      increments.lengths.data(), pitch, paths.count, paths.length, paths.dim};
            if constexpr (sizeof(T) == 4) m.run(scatter_f32, a, 0);
            else m.run(scatter_f64, a, 0);
            return gradient.host();
        }
    };
};

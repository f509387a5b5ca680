// Every CUDA kernel through the shim, at sizes around every boundary, against the CPU library in double precision.
#include "plan.hpp"


template <class T, class K> Kernel<T> entry(const char *name, void (*run)(goursat::WaveArgs<T>), int D, int R, int S, bool ll) {
    return {name, run, D, R, S, ll, size_t(K::BYTES), K::W::STATE, std::string(name).find("back") != std::string::npos};
}

template <class T> std::vector<Kernel<T>> forward_kernels() {
    std::vector<Kernel<T>> list;
#define FORWARD(name, TYPE, D, R, S, LL, GRID)                                                                    \
    if constexpr (std::is_same_v<T, TYPE>) {                                                                           \
        list.push_back(entry<TYPE, goursat::Forward<TYPE, D, R, S, LL, GRID>>(#name, name, D, R, S, LL));            \
    }
#define TENSOR(name, TYPE, MORE_THAN, R, S, LL, GRID) FORWARD(name, TYPE, goursat::TENSOR_CORES, R, S, LL, GRID)
#include "../../kernels/sigkernel_forward.list"
#include "../../kernels/sigkernel_tensor.list"
#undef TENSOR
#undef FORWARD
    return list;
}

template <class T> std::vector<Kernel<T>> backward_kernels() {
    std::vector<Kernel<T>> list;
#define BACKWARD(name, TYPE, D, R, S, LL, GRID)                                                        \
    if constexpr (std::is_same_v<T, TYPE>) {                                                                           \
        list.push_back(entry<TYPE, goursat::Backward<TYPE, D, R, S, LL, GRID>>(#name, name, D, R, S, LL)); \
    }
#include "../../kernels/sigkernel_backward.list"
#undef BACKWARD
    return list;
}

// Relative to the exact solution: what the library promises in f32, and what two orders of summation leave in f64.
template <class T> constexpr double bound() { return sizeof(T) == 4 ? 1e-5 : 1e-12; }

static std::string describe(const char *name, const Paths &x, const Paths &y, const Asked &a) {
    char text[200];
    std::snprintf(text, sizeof text, "%s: %d x %d paths of %d and %d points in %d channels, layout %d, orders %d %d%s%s%s", name,
                  x.count, y.count, x.length, y.length, x.dim, int(x.layout), a.x_order, a.y_order,
                  a.lead_lag ? ", lead-lag" : "", a.time ? ", time" : "", a.symmetric ? ", symmetric" : "");
    return text;
}

static std::vector<double> library_kernel(const Paths &x, const Paths &y, const Asked &asked) {
    const goursat_options o = options_of(asked, x, &y);
    std::vector<double> out(size_t(x.count) * (asked.gram ? y.count : 1));
    if (asked.gram) {
        must(goursat_sigkernel_gram_f64(x.data.data(), size_t(x.count), size_t(x.length), y.data.data(), size_t(y.count),
                                        size_t(y.length), size_t(x.dim), out.data(), out.size(), &o), "gram");
    } else {
        must(goursat_sigkernel_f64(x.data.data(), size_t(x.length), y.data.data(), size_t(y.length), size_t(x.count), size_t(x.dim),
                                   out.data(), out.size(), &o), "kernel");
    }
    return out;
}

static std::vector<double> library_grid(const Paths &x, const Paths &y, const Asked &asked) {
    const goursat_options o = options_of(asked, x, &y);
    size_t r, c;
    must(goursat_grid_shape(size_t(x.length), size_t(y.length), &o, &r, &c), "grid shape");
    std::vector<double> out(size_t(x.count) * r * c);
    must(goursat_sigkernel_grid_f64(x.data.data(), size_t(x.length), y.data.data(), size_t(y.length), size_t(x.count), size_t(x.dim),
                                    out.data(), out.size(), &o), "grid");
    return out;
}

struct LibraryGradients {
    std::vector<double> x, y;
};

static LibraryGradients library_backward(const Paths &x, const Paths &y, const Asked &asked, const std::vector<double> &weights, bool grid) {
    const goursat_options o = options_of(asked, x, &y);
    const auto size = [](const Paths &p) {
        return p.starts.empty() ? size_t(p.count) * p.length * p.dim : size_t(p.starts.back() + p.lengths.back() * p.dim);
    };
    // What lies between packed paths is left alone: NaN, as on the device.
    LibraryGradients g{std::vector<double>(size(x), NAN), std::vector<double>(asked.symmetric ? 0 : size(y), NAN)};
    if (asked.gram) {
        must(goursat_sigkernel_gram_backprop_f64(weights.data(), weights.size(), x.data.data(), size_t(x.count), size_t(x.length), y.data.data(),
                                                 size_t(y.count), size_t(y.length), size_t(x.dim), g.x.data(), g.x.size(),
                                                 asked.symmetric ? nullptr : g.y.data(), g.y.size(), &o), "gram backprop");
    } else {
        const auto f = grid ? goursat_sigkernel_grid_backprop_f64 : goursat_sigkernel_backprop_f64;
        must(f(weights.data(), weights.size(), x.data.data(), size_t(x.length), y.data.data(), size_t(y.length), size_t(x.count), size_t(x.dim),
               g.x.data(), g.x.size(), g.y.data(), g.y.size(), &o), "backprop");
    }
    return g;
}

static std::vector<double> weights_of(size_t count, unsigned seed) {
    std::mt19937 rng(seed);
    std::normal_distribution<double> normal(0, 1);
    std::vector<double> weights(count);
    for (double &w : weights) w = float(normal(rng));
    return weights;
}

static bool is_grid(const char *name) { return std::string(name).find("grid") != std::string::npos; }

// The n-th case at these sizes for a kernel: what is asked changes with n, so that all of it meets all sizes in time.
struct Case {
    Asked asked;
    Paths x, y;
    Machine machine;

    template <class T> static Asked ask(const Kernel<T> &k, unsigned n, int lx, int ly) {
        Asked a;
        a.time = k.channels != 1 && n % 3 == 0;
        a.end_time = n % 2 ? 2.5 : 0;
        a.lead_lag = k.ll && (k.S || n % 2);
        const bool small = lx * ly < 2000;
        if (small || !k.ll) a.x_order = int(n % 5 % 3), a.y_order = int(n % 7 % 3);
        if (k.S && !k.ll) a.x_order = std::max(1, a.x_order), a.y_order = std::max(1, a.y_order);
        if (!small) a.x_order = std::min(1, a.x_order), a.y_order = std::min(1, a.y_order);
        a.gram = !is_grid(k.name) && n % 2;
        a.symmetric = a.gram && n % 4 == 1 && lx == ly;
        if (a.symmetric) a.y_order = a.x_order = std::max(a.x_order, a.y_order);
        return a;
    }
    // As many channels as the kernel can do, or one less; time is one of them but in lead-lag.
    template <class T> static int dim(const Kernel<T> &k, unsigned n, const Asked &a) {
        if (k.channels == goursat::TENSOR_CORES) return int(n % 8) + 6;
        if (!k.channels) return int(n % 5) + 1;
        const int all = std::max(1, k.channels - int(n % 2));
        return std::max(1, all - (a.time && !a.lead_lag));
    }
    template <class T>
    Case(const Kernel<T> &k, unsigned n, int lx, int ly)
        : asked(ask(k, n, lx, ly)), x(3, lx, dim(k, n, asked), Layout(n / 2 % 4), n),
          y(asked.gram ? 2 : 3, ly, x.dim, Layout(n / 2 % 4), n + 1000) {
        machine.order = shim::Order(n % 3);
        machine.pairs_a_launch = n % 2 ? 2 : 100;
        machine.keep_states = n % 5 > 1;
    }
};

// Symmetric Gram matrices are of x alone.
static const Paths &second(const Case &c) { return c.asked.symmetric ? c.x : c.y; }

template <class T> void check_forward(const Kernel<T> &kernel, const Case &c, Score &score, double bound) {
    const Call<T> call(c.machine, c.x, second(c), c.asked);
    const std::string what = describe(kernel.name, c.x, second(c), c.asked);
    if (is_grid(kernel.name)) score.compare(what, call.grid(kernel), library_grid(c.x, second(c), c.asked), bound);
    else score.compare(what, call.forward(kernel), library_kernel(c.x, second(c), c.asked), bound);
}

template <class T> void check_backward(const Kernel<T> &back, const Case &c, Score &score) {
    const bool grid = is_grid(back.name);
    const std::string what = describe(back.name, c.x, second(c), c.asked);
    size_t count = size_t(c.x.count) * (c.asked.gram ? second(c).count : 1);
    if (grid) count = library_grid(c.x, second(c), c.asked).size();
    const std::vector<double> weights = weights_of(count, unsigned(count));
    const Call<T> call(c.machine, c.x, second(c), c.asked);
    const auto got = call.backward(back, weights);
    const auto wanted = library_backward(c.x, second(c), c.asked, weights, grid);
    // Weights of both signs, and differences of neighbouring sums, cancel: the CPU's f32 is 6e-6 off here, too.
    score.compare(what + ", x", got.x, wanted.x, 2 * bound<T>());
    if (!c.asked.symmetric) score.compare(what + ", y", got.y, wanted.y, 2 * bound<T>());
}

template <class T> void check(const Kernel<T> &k, const Case &c, Score &score) {
    if (k.back) check_backward(k, c, score);
    else check_forward(k, c, score, bound<T>());
}

template <class T> std::vector<Kernel<T>> kernels(const std::string &only) {
    std::vector<Kernel<T>> list;
    for (const auto &part : {forward_kernels<T>(), backward_kernels<T>()}) {
        for (const auto &k : part) {
            if (std::string(k.name).find(only) != std::string::npos) list.push_back(k);
        }
    }
    return list;
}

// Around warps, strips and periods: the kernels of any dimension at all pairs of sizes, the others at every third.
template <class T> void boundaries(Score &score, const std::vector<Kernel<T>> &list) {
    const int sizes[] = {1, 2, 32, 33, 34, 128, 129, 130};
    unsigned n = 0;
    for (int lx : sizes) {
        for (int ly : sizes) {
            for (const auto &k : list) {
                n++;
                if (k.channels && lx != ly && n % 5) continue;
                check(k, Case(k, n, lx, ly), score);
            }
        }
    }
}

// Many channels, several strips, high orders.
template <class T> void extremes(Score &score, const std::vector<Kernel<T>> &list) {
    for (const auto &k : list) {
        const bool any = k.channels <= 0;
        if (!any && k.channels != 8) continue;
        const auto one = [&](int lx, int ly, int dim, Asked asked, Layout layout) {
            Case c(k, 3, lx, ly);
            c.asked = asked;
            if (k.S && !k.ll) c.asked.x_order = c.asked.y_order = 1;
            if (k.S && k.ll) c.asked.lead_lag = true;
            c.x = Paths(2, lx, any ? dim : k.channels, layout, 5);
            c.y = Paths(2, ly, c.x.dim, layout, 6);
            check(k, c, score);
        };
        one(600, 70, 2, {}, Layout::dense);
        one(40, 300, 2, {}, Layout::ragged);
        if (!any) continue;
        one(34, 10, 98, {}, Layout::packed);
        one(9, 34, 1000, {}, Layout::strided);
        if (!is_grid(k.name)) one(3, 3, 3, {5, 4, k.ll, true}, Layout::dense);
    }
}

// f32 where solvers that keep k alone lose it: two lines, two smooth curves. 6e-8 off; 2e-6 if rows are not summed anew.
template <class T> void smooth(Score &score, const std::vector<Kernel<T>> &list) {
    const int length = 1500;
    for (const auto &k : list) {
        if (k.channels != 2 || k.S || k.back) continue;
        for (int curved = 0; curved < 2; curved++) {
            Case c(k, 2, 2, 2);
            c.asked = {};
            c.x = Paths(1, length, 2, Layout::dense, 1), c.y = Paths(1, length, 2, Layout::dense, 2);
            for (int i = 0; i < length; i++) {
                const double t = double(i) / (length - 1);
                c.x.data[size_t(2 * i)] = float(curved ? std::sin(3 * t) : t), c.x.data[size_t(2 * i + 1)] = float(curved ? std::cos(2 * t) : 2 * t);
                c.y.data[size_t(2 * i)] = float(curved ? t * t : t), c.y.data[size_t(2 * i + 1)] = float(curved ? std::sin(2 * t) : 0.5 * t);
            }
            check_forward(k, c, score, sizeof(T) == 4 ? 3e-7 : bound<T>());
        }
    }
}

// Beside a path of one point k is 1, and gradients are 0, whatever the other path and the weight are made of.
template <class T> void one_point(Score &score, const std::vector<Kernel<T>> &list) {
    for (const auto &k : list) {
        for (int lx : {1, 40}) {
            if (is_grid(k.name) && k.back) continue; // every node has a weight there
            Case c(k, 2, lx, lx == 1 ? 40 : 1);
            c.asked.gram = c.asked.symmetric = false;
            c.x = Paths(3, lx, c.x.dim, Layout::dense, 3), c.y = Paths(3, lx == 1 ? 40 : 1, c.x.dim, Layout::dense, 4);
            for (double &value : (lx == 1 ? c.y : c.x).data) value = NAN;
            const Call<T> call(c.machine, c.x, c.y, c.asked);
            std::vector<T> got;
            if (k.back) {
                const auto g = call.backward(k, {1, NAN, INFINITY});
                got = g.x, got.insert(got.end(), g.y.begin(), g.y.end());
            } else {
                got = is_grid(k.name) ? call.grid(k) : call.forward(k);
            }
            score.compared++;
            bool well = true;
            for (T value : got) well &= value == T(k.back ? 0 : 1);
            if (well) continue;
            score.wrong++;
            std::fprintf(stderr, "WRONG %s: a path of one point beside NaN\n", k.name);
        }
    }
}

// The same bits whatever a pair travels with: launches, warps, the order of warps, states kept or not.
template <class T> void repeatable(Score &score, const std::vector<Kernel<T>> &list) {
    for (const auto &k : list) {
        Case c(k, 1, 140, 70);
        c.asked.symmetric = false;
        c.y = Paths(2, 70, c.x.dim, Layout::ragged, 9);
        Machine other;
        other.order = shim::Order::shuffled, other.blocks = 1, other.warps = 3, other.pairs_a_launch = 1, other.keep_states = false;
        if (is_grid(k.name)) c.y = Paths(3, 70, c.x.dim, Layout::ragged, 9);
        const Call<T> a(c.machine, c.x, c.y, c.asked), b(other, c.x, c.y, c.asked);
        std::vector<T> one, two;
        if (k.back) {
            size_t count = size_t(c.x.count) * (c.asked.gram ? c.y.count : 1);
            if (is_grid(k.name)) count = library_grid(c.x, c.y, c.asked).size();
            const auto weights = weights_of(count, 5);
            const auto ga = a.backward(k, weights), gb = b.backward(k, weights);
            one = ga.x, two = gb.x;
            one.insert(one.end(), ga.y.begin(), ga.y.end()), two.insert(two.end(), gb.y.begin(), gb.y.end());
        } else {
            one = is_grid(k.name) ? a.grid(k) : a.forward(k);
            two = is_grid(k.name) ? b.grid(k) : b.forward(k);
        }
        score.compared++;
        if (one.size() == two.size() && !std::memcmp(one.data(), two.data(), one.size() * sizeof(T))) continue;
        score.wrong++;
        std::fprintf(stderr, "WRONG %s: bits depend on the launch\n", k.name);
    }
}

template <class T> int all(const std::string &only) {
    Score score;
    const auto list = kernels<T>(only);
    boundaries(score, list);
    extremes(score, list);
    smooth(score, list);
    one_point(score, list);
    repeatable(score, list);
    std::printf("signature kernels, f%d: %ld compared, %ld wrong, worst %.3g\n", int(sizeof(T)) * 8, score.compared, score.wrong, score.worst);
    return score.wrong != 0 || !score.compared;
}

// kernels f32|f64 [part of a name]
int main(int argc, char **argv) {
    const std::string type = argc > 1 ? argv[1] : "", only = argc > 2 ? argv[2] : "";
    if (type == "f32") return all<float>(only);
    if (type == "f64") return all<double>(only);
    std::fprintf(stderr, "which: f32 or f64?\n");
    return 2;
}

// Every CUDA kernel through the shim, at sizes around every boundary, against the CPU library in double precision.
#include "plan.hpp"

#include <chrono>

template <class T> std::vector<Kernel<T>> forward_kernels();
#define WIDE_ENTRY
#define FORWARD(name, TYPE, SOURCE, R, S, LL, GRID)                                                                    \
    if constexpr (std::is_same_v<T, TYPE>) {                                                                           \
        using K = goursat::Forward<TYPE, SOURCE, R, S, LL, GRID>;                                                      \
        list.push_back({#name, name, 0, R, S, LL, size_t(K::BYTES), K::W::STATE});                                     \
    }
template <class T> std::vector<Kernel<T>> forward_kernels() {
    std::vector<Kernel<T>> list;
#include "../../kernels/sigkernel_forward.list"
    return list;
}
#undef FORWARD

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

int main() {
    Score scores[2];
    const int sizes[] = {1, 2, 32, 33, 34, 128, 129, 130};
    const auto run = [&](auto zero, Score &score) {
        using T = decltype(zero);
        unsigned turn = 0;
        for (const Kernel<T> &kernel : forward_kernels<T>()) {
            const bool grid = std::string(kernel.name).find("grid") != std::string::npos;
            for (int lx : sizes) for (int ly : sizes) {
                turn++;
                Asked asked;
                asked.time = turn % 3 == 0;
                asked.lead_lag = turn % 4 == 0;
                if (lx * ly < 2000) asked.x_order = turn % 5 % 3, asked.y_order = turn % 7 % 3;
                asked.gram = !grid && turn % 2;
                const int dim = turn % 5 + 1;
                const Layout layout = Layout(turn % 4);
                const Paths x(3, lx, dim, layout, turn), y(asked.gram ? 2 : 3, ly, dim, layout, turn + 1000);
                Machine m;
                m.order = shim::Order(turn % 3);
                m.pairs_a_launch = turn % 2 ? 2 : 100;
                Call<T> call(m, x, y, asked);
                if (grid) score.compare(describe(kernel.name, x, y, asked), call.grid(kernel), library_grid(x, y, asked), bound<T>());
                else score.compare(describe(kernel.name, x, y, asked), call.forward(kernel), library_kernel(x, y, asked), bound<T>());
            }
        }
    };
    run(0.0f, scores[0]);
    run(0.0, scores[1]);
    for (int i = 0; i < 2; i++) std::printf("f%d: %ld compared, %ld wrong, worst %.3g\n", i ? 64 : 32, scores[i].compared, scores[i].wrong, scores[i].worst);
    return scores[0].wrong + scores[1].wrong != 0;
}

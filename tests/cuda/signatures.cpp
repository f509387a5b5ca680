// Signatures through the shim, against the CPU library in double precision.
#include "signature_plan.hpp"

static goursat_options signature_options(const Asked &asked, const Paths &x, bool scalar, bool lag_first) {
    goursat_options o = options_of(asked, x, nullptr);
    if (scalar) o.flags |= GOURSAT_SCALAR_TERM;
    if (lag_first) o.flags |= GOURSAT_LAG_FIRST;
    return o;
}

// Relative to the largest coefficient of a signature, or the largest number of a gradient.
template <class T> constexpr double bound() { return sizeof(T) == 4 ? 1e-5 : 1e-12; }

template <class T>
void check(const SignatureKernel<T> &kernel, const Paths &x, const Asked &asked, int degree, bool scalar, bool lag_first, const Machine &machine, Score &score) {
    char what[200];
    std::snprintf(what, sizeof what, "signature f%d: %d paths of %d points in %d channels, layout %d, degree %d%s%s%s%s", int(sizeof(T)) * 8, x.count, x.length,
                  x.dim, int(x.layout), degree, kernel.degree ? "" : " (any)", asked.lead_lag ? ", lead-lag" : "", lag_first ? ", lag first" : "", asked.time ? ", time" : "");
    const goursat_options o = signature_options(asked, x, scalar, lag_first);
    const SignatureCall<T> call(machine, x, asked, degree, scalar, lag_first);
    std::vector<double> wanted(size_t(x.count * (call.size + scalar)));
    must(goursat_signature_f64(x.data.data(), size_t(x.count), size_t(x.length), size_t(x.dim), size_t(degree), wanted.data(), wanted.size(), &o), "signature");
    score.compare(what, call.forward(kernel), wanted, bound<T>());

    std::mt19937 rng(unsigned(wanted.size()));
    std::normal_distribution<double> normal(0, 1);
    std::vector<double> weights(wanted.size());
    for (double &w : weights) w = float(normal(rng));
    std::vector<double> gradient(x.starts.empty() ? size_t(x.count) * x.length * x.dim : size_t(x.starts.back() + x.lengths.back() * x.dim), NAN);
    must(goursat_sig_backprop_f64(weights.data(), weights.size(), x.data.data(), size_t(x.count), size_t(x.length), size_t(x.dim), size_t(degree),
                                  gradient.data(), gradient.size(), &o), "signature gradient");
    score.compare(std::string(what) + ", gradient", call.backward(kernel, weights), gradient, bound<T>());
}

template <class T> int all() {
    Score score;
    unsigned n = 0;
    const auto kernels = signature_kernels<T>();
    const auto one = [&](int degree, int dim, int length, bool any) {
        n++;
        Asked asked;
        asked.time = n % 3 == 0;
        asked.lead_lag = n % 4 == 0 && dim * length < 2000;
        asked.end_time = n % 2 ? 2.5 : 0;
        Machine machine;
        machine.order = shim::Order(n % 3);
        const Paths x(3, length, dim, Layout(n % 4), n);
        for (const auto &k : kernels) {
            if (k.degree == (any ? 0 : degree)) check(k, x, asked, degree, n % 2, asked.lead_lag && n % 8 == 0, machine, score);
        }
    };
    for (int degree = 1; degree <= 7; degree++) {
        for (int dim : {1, 2, 3}) {
            if (degree > 5 && dim > 2) continue;
            for (int length : {1, 2, 9}) one(degree, dim, length, n % 7 == 6);
        }
    }
    for (int length : {10, 17, 33, 34, 257, 258, 700}) one(2, 3, length, false);
    for (int dim : {7, 8, 9, 33}) one(2, dim, 5, n % 2);
    one(3, 17, 3, false), one(1, 1000, 7, false), one(2, 98, 3, false);
    one(9, 2, 5, true), one(12, 1, 20, true), one(1, 1, 300, true);
    std::printf("signatures, f%d: %ld compared, %ld wrong, worst %.3g\n", int(sizeof(T)) * 8, score.compared, score.wrong, score.worst);
    return score.wrong != 0;
}

// signatures f32|f64
int main(int argc, char **argv) {
    const std::string type = argc > 1 ? argv[1] : "";
    if (type == "f32") return all<float>();
    if (type == "f64") return all<double>();
    std::fprintf(stderr, "which: f32 or f64?\n");
    return 2;
}

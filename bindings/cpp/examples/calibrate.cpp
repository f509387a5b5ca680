/*
 * Calibrates a stochastic volatility model to a market by its paths: finds the parameters whose simulated paths look
 * most like those of the market, as the signature kernel sees them. No likelihood, no option prices, no chosen
 * statistics; the gradient is exact, from the distance through every kernel and every step of every path down to the
 * parameters.
 *
 * The model (Scott 1987) has a log-price x and a log-volatility y that reverts to its mean, driven by Brownian motions
 * of correlation rho:
 *
 *     dx = -exp(2 y) / 2 dt + exp(y) (rho dZ + sqrt(1 - rho^2) dW),      x = 0 at first
 *     dy = kappa (m - y) dt + nu dZ,                                    y = log(35 %) at first: a market in distress
 *
 * The market shows x, and y by a volatility index. It is simulated here with known parameters, so that one sees what is
 * recovered. The distance is the maximum mean discrepancy of the signature kernel k (Chevyrev & Oberhauser 2022), of
 * simulated paths X and market paths Y, without bias:
 *
 *     MMD^2 = E k(X, X') - 2 E k(X, Y) + E k(Y, Y')
 *
 * It prints the same on every run. On five other markets (seeds) kappa came out 2 to 26 % from the truth, exp(m) 1 to
 * 12 %, nu 4 to 8 % and rho 0.05 to 0.13: that is what 256 paths of 12 steps tell.
 */
#include <goursat.hpp>

#include <cmath>
#include <cstdio>
#include <random>

namespace {

constexpr std::size_t market_paths = 256, simulated_paths = 256;
constexpr std::size_t steps = 12;         // fortnights
constexpr double dt = 1.0 / 26;           // in years
constexpr double first_volatility = 0.35; // a year
// The kernel grows like an exponential of its paths' lengths: in these units a few extreme paths do not outweigh all.
constexpr double price_unit = 0.3, volatility_unit = 1;

/// Any real numbers are parameters of a model: nothing has to be kept within bounds.
struct Parameters {
    std::array<double, 4> free; // log kappa, m, log nu, atanh rho

    double kappa() const { return std::exp(free[0]); }
    double mean() const { return free[1]; }
    double nu() const { return std::exp(free[2]); }
    double rho() const { return std::tanh(free[3]); }
};

using Gradient = std::array<double, 4>; // with respect to Parameters::free

Parameters model(double kappa, double mean_volatility, double nu, double rho) {
    return {{std::log(kappa), std::log(mean_volatility), std::log(nu), std::atanh(rho)}};
}

/// Independent standard normal numbers, two a step and path, by Box and Muller: the same with every compiler.
std::vector<double> normals(std::size_t paths, std::uint64_t seed) {
    std::mt19937_64 bits(seed);
    const auto uniform = [&] { return (double(bits() >> 11) + 0.5) * 0x1p-53; };
    std::vector<double> z(paths * steps * 2);
    for (std::size_t i = 0; i < z.size(); i += 2) {
        const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * 3.14159265358979323846 * uniform();
        z[i] = radius * std::cos(angle);
        z[i + 1] = radius * std::sin(angle);
    }
    return z;
}

/// Noise of four paths at a time, with all signs of the two Brownian motions: without the chance of odd moments, which
/// would be taken for the parameters'.
std::vector<double> symmetric_normals(std::size_t paths, std::uint64_t seed) {
    const std::vector<double> quarter = normals(paths / 4, seed);
    std::vector<double> z;
    for (const double sign : {1.0, -1.0}) {
        for (const double other : {1.0, -1.0}) {
            for (std::size_t i = 0; i < quarter.size(); i += 2) {
                z.insert(z.end(), {sign * quarter[i], other * quarter[i + 1]});
            }
        }
    }
    return z;
}

/// Euler's scheme: (paths, steps + 1, 2), with x and y in their units; noise is (paths, steps, 2).
std::vector<double> simulate(const Parameters &of, const std::vector<double> &noise) {
    const double root = std::sqrt(dt), rest = std::sqrt(1 - of.rho() * of.rho());
    std::vector<double> paths;
    for (std::size_t p = 0; p < noise.size() / (2 * steps); ++p) {
        const double *z = &noise[p * steps * 2];
        double x = 0, y = std::log(first_volatility);
        paths.insert(paths.end(), {x / price_unit, y / volatility_unit});
        for (std::size_t i = 0; i < steps; ++i) {
            const double volatility = std::exp(y);
            x += -0.5 * volatility * volatility * dt + volatility * root * (of.rho() * z[2 * i] + rest * z[2 * i + 1]);
            y += of.kappa() * (of.mean() - y) * dt + of.nu() * root * z[2 * i];
            paths.insert(paths.end(), {x / price_unit, y / volatility_unit});
        }
    }
    return paths;
}

/// The reverse of `simulate`: the derivative with respect to the parameters of a function of the paths, given its
/// derivative with respect to these. Each path is walked from its end; x_bar and y_bar are the derivatives with respect
/// to x and y after step i, and become those before it.
Gradient simulate_backward(const Parameters &of, const std::vector<double> &noise, const std::vector<double> &paths,
                           const std::vector<double> &paths_bar) {
    const double root = std::sqrt(dt), rho = of.rho(), rest = std::sqrt(1 - rho * rho);
    double kappa_bar = 0, mean_bar = 0, nu_bar = 0, rho_bar = 0;
    for (std::size_t p = 0; p < noise.size() / (2 * steps); ++p) {
        const double *z = &noise[p * steps * 2], *path = &paths[p * (steps + 1) * 2];
        const double *path_bar = &paths_bar[p * (steps + 1) * 2];
        double x_bar = 0, y_bar = 0;
        for (std::size_t i = steps; i-- > 0;) {
            x_bar += path_bar[2 * i + 2] / price_unit;
            y_bar += path_bar[2 * i + 3] / volatility_unit;
            const double y = path[2 * i + 1] * volatility_unit, volatility = std::exp(y);
            const double shock = rho * z[2 * i] + rest * z[2 * i + 1];
            kappa_bar += y_bar * (of.mean() - y) * dt;
            mean_bar += y_bar * of.kappa() * dt;
            nu_bar += y_bar * root * z[2 * i];
            rho_bar += x_bar * volatility * root * (z[2 * i] - rho / rest * z[2 * i + 1]);
            y_bar += -y_bar * of.kappa() * dt +
                     x_bar * (-volatility * volatility * dt + volatility * root * shock);
        }
    }
    return {kappa_bar * of.kappa(), mean_bar, nu_bar * of.nu(), rho_bar * (1 - rho * rho)};
}

/// The distance of simulated paths from those of a market, and its gradient. The noise is drawn once and kept, so that
/// the distance is a smooth function of the parameters.
class Distance {
public:
    explicit Distance(const std::vector<double> &market)
        : market_(market), noise_(symmetric_normals(simulated_paths, 2)),
          between_(simulated_paths * market_paths, -2.0 / (simulated_paths * market_paths)) {
        const std::size_t n = simulated_paths, m = market_paths;
        for (std::size_t i = 0; i < n * n; ++i) { // paths that share their noise are not two independent ones
            within_.push_back(i / n % (n / 4) == i % n % (n / 4) ? 0 : 1.0 / (n * (n - 4)));
        }
        std::vector<double> within_market;
        for (std::size_t i = 0; i < m * m; ++i) {
            within_market.push_back(i / m == i % m ? 0 : 1.0 / (m * (m - 1)));
        }
        of_market_ = weighted(within_market, goursat::sigkernel_gram(batch(market_), with_));
    }

    double operator()(const Parameters &of) const {
        const std::vector<double> simulated = simulate(of, noise_);
        return weighted(within_, goursat::sigkernel_gram(batch(simulated), with_)) +
               weighted(between_, goursat::sigkernel_gram(batch(simulated), batch(market_), with_)) + of_market_;
    }

    Gradient gradient(const Parameters &of) const {
        const std::vector<double> simulated = simulate(of, noise_);
        std::vector<double> bar = goursat::sigkernel_gram_backprop(within_, batch(simulated), with_);
        std::vector<double> more(bar.size());
        goursat::sigkernel_gram_backprop(between_, batch(simulated), batch(market_), more, nullptr, with_);
        for (std::size_t i = 0; i < bar.size(); ++i) {
            bar[i] += more[i];
        }
        return simulate_backward(of, noise_, simulated, bar);
    }

private:
    static goursat::paths<double> batch(const std::vector<double> &paths) { return {paths, steps + 1, 2}; }

    static double weighted(const std::vector<double> &weights, const std::vector<double> &kernels) {
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            sum += weights[i] * kernels[i];
        }
        return sum;
    }

    std::vector<double> market_, noise_, between_, within_;
    double of_market_;
    // The lead-lag transform shows the kernel the variances and covariances of the steps themselves.
    goursat::options with_ = goursat::options().time_aug().lead_lag();
};

double dot(const Gradient &a, const Gradient &b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]; }

Parameters moved(Parameters from, double by, const Gradient &along) {
    for (std::size_t i = 0; i < 4; ++i) {
        from.free[i] += by * along[i];
    }
    return from;
}

void print(const char *name, const Parameters &of, double distance) {
    std::printf("%-12s %7.3f %7.3f %7.3f %7.3f   %.3e\n", name, of.kappa(), std::exp(of.mean()), of.nu(), of.rho(),
                distance);
}

/// The largest difference between the exact gradient and central differences, relative to the gradient's length.
double gradient_error(const Distance &distance, const Parameters &at) {
    const Gradient exact = distance.gradient(at);
    const double step = 1e-4;
    double worst = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        Gradient along{};
        along[i] = 1;
        const double central = (distance(moved(at, step, along)) - distance(moved(at, -step, along))) / (2 * step);
        worst = std::fmax(worst, std::fabs(exact[i] - central));
    }
    return worst / std::sqrt(dot(exact, exact));
}

/// Quasi-Newton descent (Broyden, Fletcher, Goldfarb & Shanno): `inverse` approaches the inverse second derivative.
Parameters minimise(const Distance &distance, Parameters at) {
    std::array<Gradient, 4> inverse{};
    double value = distance(at);
    Gradient slope = distance.gradient(at);
    const double enough = 1e-8 * dot(slope, slope);
    for (std::size_t i = 0; i < 4; ++i) {
        inverse[i][i] = 0.25 / std::sqrt(dot(slope, slope));
    }
    for (int iteration = 0; iteration < 40 && dot(slope, slope) > enough; ++iteration) {
        Gradient along{};
        for (std::size_t i = 0; i < 4; ++i) {
            along[i] = -dot(inverse[i], slope);
        }
        double step = 1;
        while (!(distance(moved(at, step, along)) <= value + 1e-4 * step * dot(slope, along)) && step > 1e-6) {
            step /= 2;
        }
        at = moved(at, step, along);
        value = distance(at);
        const Gradient next = distance.gradient(at);
        Gradient s{}, y{}, iy{};
        for (std::size_t i = 0; i < 4; ++i) {
            s[i] = step * along[i];
            y[i] = next[i] - slope[i];
        }
        slope = next;
        for (std::size_t i = 0; i < 4; ++i) {
            iy[i] = dot(inverse[i], y);
        }
        const double sy = dot(s, y);
        for (std::size_t i = 0; i < 4 && sy > 0; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                inverse[i][j] += (1 + dot(y, iy) / sy) * s[i] * s[j] / sy - (iy[i] * s[j] + s[i] * iy[j]) / sy;
            }
        }
        print("", at, value);
    }
    return at;
}

} // namespace

int main() {
    const Parameters truth = model(4, 0.2, 0.8, -0.7), guess = model(1.5, 0.3, 0.5, 0);
    const Distance distance(simulate(truth, normals(market_paths, 1)));

    std::printf("exact gradient less central differences, of the gradient's length: %.0e\n\n",
                gradient_error(distance, guess));
    std::printf("%-12s %7s %7s %7s %7s   %s\n", "", "kappa", "exp(m)", "nu", "rho", "MMD^2");
    print("guess", guess, distance(guess));
    const Parameters found = minimise(distance, guess);
    print("calibrated", found, distance(found));
    print("market", truth, distance(truth));
}

/*
 * Goursat for C++17: goursat.h with exceptions instead of status codes, vectors instead of buffers, and options that
 * are set by name. Header only; nothing is to be freed. Shapes, orders and promises are those of goursat.h, and so are
 * the functions' names.
 *
 *     std::vector<double> x = ..., y = ...;               // x: 3 points in 2 channels, y: 2 points
 *     auto k = goursat::sigkernel(goursat::paths(x, 3, 2), goursat::paths(y, 2, 2),
 *                                 goursat::options().time_aug().dyadic_order(2));
 *
 * Paths are views of anything contiguous, std::span included; goursat/paths.hpp has strided and ragged ones. A function
 * gives a vector, or, where it is told where the result goes, writes it there: `out` and gradients are anything
 * contiguous, of exactly the size that the shape says, and overlap nothing else.
 *
 *     std::span<double> mine = ...;
 *     goursat::sigkernel_gram(paths, mine);
 *
 * Every function throws goursat::error with the sentence of the library when it refuses or fails, and
 * std::invalid_argument where C++ alone can see what is wrong: x and y with different numbers of channels or, in pairs,
 * of paths, and lists of lengths or starts that have not an entry a path. After these outputs are as they were, unless
 * goursat.h says otherwise of the status.
 */
#ifndef GOURSAT_HPP
#define GOURSAT_HPP

#include "goursat/options.hpp"

namespace goursat {

namespace detail {

template <class T>
struct functions;

#define GOURSAT_FUNCTIONS(type, suffix)                                                                               \
    template <>                                                                                                       \
    struct functions<type> {                                                                                          \
        static constexpr auto signature = goursat_signature_##suffix;                                                 \
        static constexpr auto sig_backprop = goursat_sig_backprop_##suffix;                                           \
        static constexpr auto sigkernel = goursat_sigkernel_##suffix;                                                 \
        static constexpr auto sigkernel_backprop = goursat_sigkernel_backprop_##suffix;                               \
        static constexpr auto sigkernel_grid = goursat_sigkernel_grid_##suffix;                                       \
        static constexpr auto sigkernel_grid_backprop = goursat_sigkernel_grid_backprop_##suffix;                     \
        static constexpr auto sigkernel_gram = goursat_sigkernel_gram_##suffix;                                       \
        static constexpr auto sigkernel_gram_backprop = goursat_sigkernel_gram_backprop_##suffix;                     \
        static constexpr auto time_augment = goursat_time_augment_##suffix;                                           \
        static constexpr auto time_augment_backprop = goursat_time_augment_backprop_##suffix;                         \
        static constexpr auto lead_lag = goursat_lead_lag_##suffix;                                                   \
        static constexpr auto lead_lag_backprop = goursat_lead_lag_backprop_##suffix;                                 \
    };
GOURSAT_FUNCTIONS(double, f64)
GOURSAT_FUNCTIONS(float, f32)
#undef GOURSAT_FUNCTIONS

template <class T>
struct same {
    using type = T;
};

// Numbers to read and to write. The paths alone decide whether they are float or double.
template <class T>
using input = typename same<view<const T>>::type;
template <class T>
using output = typename same<view<T>>::type;

// A pair of one batch where the batches' numbers differ is an error of the caller that C cannot see.
inline std::size_t pairs(const layout &x, const layout &y) {
    if (x.batch != y.batch) {
        throw std::invalid_argument("goursat: x has " + std::to_string(x.batch) + " paths and y " +
                                    std::to_string(y.batch) + "; expected as many");
    }
    return x.batch;
}

inline std::size_t channels(const layout &x, const layout &y) {
    if (x.dim != y.dim) {
        throw std::invalid_argument("goursat: x has " + std::to_string(x.dim) + " channels and y " +
                                    std::to_string(y.dim) + "; expected as many");
    }
    return x.dim;
}

} // namespace detail

/// Gradients with respect to x and y; one that was not wanted is empty.
template <class T>
struct gradients {
    std::vector<T> x, y;
};

/// Which gradients are wanted.
enum class wrt { both, x, y };

/// The library's version, such as "0.1.0"; compare with GOURSAT_VERSION.
inline std::string version() { return goursat_version(); }

/// The library's version as a number; compare with GOURSAT_VERSION_NUMBER.
inline std::uint32_t version_number() { return goursat_version_number(); }

/// The instruction set in use: "avx512", "avx2", "neon" or "portable".
inline std::string simd_level() { return goursat_simd_level(); }

/// Threads of a call whose options do not say.
inline std::int32_t default_threads() { return goursat_default_threads(); }

/// The name of a status, such as "GOURSAT_OVERLAP".
inline std::string status_name(std::int32_t status) { return goursat_status_name(status); }

/// Whether options::cuda works here; goursat::check(goursat_cuda_available()) throws the sentence that says why not.
inline bool cuda_available() { return goursat_cuda_available() == GOURSAT_OK; }

/// The CUDA devices, usable or not; none where there is no driver.
inline std::vector<goursat_cuda_device_info> cuda_devices() {
    std::int32_t count = 0;
    if (goursat_cuda_device_count(&count) != GOURSAT_OK) {
        return {};
    }
    std::vector<goursat_cuda_device_info> devices(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
        goursat_cuda_device_info &device = devices[static_cast<std::size_t>(i)];
        device.size = sizeof device;
        check(goursat_cuda_device(i, &device));
    }
    return devices;
}

/// Coefficients in the signature, up to `degree`, of a path of `dim` channels before the transforms.
inline std::size_t signature_length(std::size_t dim, std::size_t degree, const options &with = {}) {
    std::size_t length = 0;
    with.run([&](const goursat_options *o) { return goursat_signature_length(dim, degree, o, &length); });
    return length;
}

/// Rows and columns of the grid of a pair: (2^x_order * T_x + 1, 2^y_order * T_y + 1) for T increments after the
/// transforms.
inline std::pair<std::size_t, std::size_t> grid_shape(std::size_t x_length, std::size_t y_length,
                                                      const options &with = {}) {
    std::pair<std::size_t, std::size_t> shape;
    with.run([&](const goursat_options *o) {
        return goursat_grid_shape(x_length, y_length, o, &shape.first, &shape.second);
    });
    return shape;
}

/// Truncated signatures: (batch, signature_length).
template <class T>
void signature(const paths<T> &path, std::size_t degree, detail::output<T> out, const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::signature(path.data, path.batch, path.length, path.dim, degree, out.data(),
                                               out.size(), o);
    };
    with.run(call, path);
}

template <class T>
std::vector<T> signature(const paths<T> &path, std::size_t degree, const options &with = {}) {
    std::vector<T> out(path.batch * signature_length(path.dim, degree, with));
    signature(path, degree, out, with);
    return out;
}

/// Gradients with respect to the paths, (batch, length, dim), of a function of their signatures, from its gradient with
/// respect to these, (batch, signature_length).
template <class T>
void sig_backprop(detail::input<T> grad, const paths<T> &path, std::size_t degree, detail::output<T> path_grad,
                  const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sig_backprop(grad.data(), grad.size(), path.data, path.batch, path.length,
                                                  path.dim, degree, path_grad.data(), path_grad.size(), o);
    };
    with.run(call, path);
}

template <class T>
std::vector<T> sig_backprop(detail::input<T> grad, const paths<T> &path, std::size_t degree, const options &with = {}) {
    std::vector<T> path_grad(with.gradient_size(path));
    sig_backprop(grad, path, degree, path_grad, with);
    return path_grad;
}

namespace detail {

// Zeros of the sizes of the gradients that are wanted.
template <class T>
gradients<T> room(const paths<T> &x, const paths<T> &y, const options &with, wrt wanted) {
    gradients<T> out;
    out.x.resize(wanted == wrt::y ? 0 : with.gradient_size(x));
    out.y.resize(wanted == wrt::x ? 0 : with.gradient_size(y, true));
    return out;
}

template <class T, class Function>
void pair_forward(Function function, const paths<T> &x, const paths<T> &y, view<T> out, const options &with) {
    const std::size_t batch = pairs(x, y), dim = channels(x, y);
    const auto call = [&](const goursat_options *o) {
        return function(x.data, x.length, y.data, y.length, batch, dim, out.data(), out.size(), o);
    };
    with.run(call, x, &y);
}

template <class T, class Function>
void pair_backprop(Function function, view<const T> grad, const paths<T> &x, const paths<T> &y, view<T> x_grad,
                   view<T> y_grad, const options &with) {
    const std::size_t batch = pairs(x, y), dim = channels(x, y);
    const auto call = [&](const goursat_options *o) {
        return function(grad.data(), grad.size(), x.data, x.length, y.data, y.length, batch, dim, x_grad.data(),
                        x_grad.size(), y_grad.data(), y_grad.size(), o);
    };
    with.run(call, x, &y);
}

} // namespace detail

/// Signature kernels of the pairs (x_b, y_b): (batch).
template <class T>
void sigkernel(const paths<T> &x, const paths<T> &y, detail::output<T> out, const options &with = {}) {
    detail::pair_forward<T>(detail::functions<T>::sigkernel, x, y, out, with);
}

template <class T>
std::vector<T> sigkernel(const paths<T> &x, const paths<T> &y, const options &with = {}) {
    std::vector<T> out(detail::pairs(x, y));
    sigkernel(x, y, out, with);
    return out;
}

/// Gradients of sum_b grad[b] * k(x_b, y_b): (batch, x_length, dim) and (batch, y_length, dim). `nullptr` is a gradient
/// that is not wanted.
template <class T>
void sigkernel_backprop(detail::input<T> grad, const paths<T> &x, const paths<T> &y, detail::output<T> x_grad,
                        detail::output<T> y_grad, const options &with = {}) {
    detail::pair_backprop<T>(detail::functions<T>::sigkernel_backprop, grad, x, y, x_grad, y_grad, with);
}

template <class T>
gradients<T> sigkernel_backprop(detail::input<T> grad, const paths<T> &x, const paths<T> &y, const options &with = {},
                                wrt wanted = wrt::both) {
    gradients<T> out = detail::room(x, y, with, wanted);
    sigkernel_backprop(grad, x, y, out.x, out.y, with);
    return out;
}

/// Solution grids of the pairs: (batch, rows, columns) with those of grid_shape; NaN beyond the corner of a ragged
/// pair.
template <class T>
void sigkernel_grid(const paths<T> &x, const paths<T> &y, detail::output<T> out, const options &with = {}) {
    detail::pair_forward<T>(detail::functions<T>::sigkernel_grid, x, y, out, with);
}

template <class T>
std::vector<T> sigkernel_grid(const paths<T> &x, const paths<T> &y, const options &with = {}) {
    const auto shape = grid_shape(x.length, y.length, with);
    std::vector<T> out(detail::pairs(x, y) * shape.first * shape.second);
    sigkernel_grid(x, y, out, with);
    return out;
}

/// As sigkernel_backprop, of a function of all nodes of the grids, from its gradient: (batch, rows, columns).
template <class T>
void sigkernel_grid_backprop(detail::input<T> grad, const paths<T> &x, const paths<T> &y, detail::output<T> x_grad,
                             detail::output<T> y_grad, const options &with = {}) {
    detail::pair_backprop<T>(detail::functions<T>::sigkernel_grid_backprop, grad, x, y, x_grad, y_grad, with);
}

template <class T>
gradients<T> sigkernel_grid_backprop(detail::input<T> grad, const paths<T> &x, const paths<T> &y,
                                     const options &with = {}, wrt wanted = wrt::both) {
    gradients<T> out = detail::room(x, y, with, wanted);
    sigkernel_grid_backprop(grad, x, y, out.x, out.y, with);
    return out;
}

/// Signature kernels of all pairs, k(x_i, y_j): (x_batch, y_batch).
template <class T>
void sigkernel_gram(const paths<T> &x, const paths<T> &y, detail::output<T> out, const options &with = {}) {
    const std::size_t dim = detail::channels(x, y);
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram(x.data, x.batch, x.length, y.data, y.batch, y.length, dim,
                                                    out.data(), out.size(), o);
    };
    with.run(call, x, &y);
}

template <class T>
std::vector<T> sigkernel_gram(const paths<T> &x, const paths<T> &y, const options &with = {}) {
    std::vector<T> out(x.batch * y.batch);
    sigkernel_gram(x, y, out, with);
    return out;
}

/// Of x with itself, at half the work: (batch, batch), symmetric to the last bit.
template <class T>
void sigkernel_gram(const paths<T> &x, detail::output<T> out, const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram(x.data, x.batch, x.length, nullptr, 0, 0, x.dim, out.data(),
                                                    out.size(), o);
    };
    with.run(call, x, nullptr, GOURSAT_SYMMETRIC);
}

template <class T>
std::vector<T> sigkernel_gram(const paths<T> &x, const options &with = {}) {
    std::vector<T> out(x.batch * x.batch);
    sigkernel_gram(x, out, with);
    return out;
}

/// Gradients of sum_ij grad[i][j] * k(x_i, y_j): (x_batch, x_length, dim) and (y_batch, y_length, dim). `nullptr` is a
/// gradient that is not wanted.
template <class T>
void sigkernel_gram_backprop(detail::input<T> grad, const paths<T> &x, const paths<T> &y, detail::output<T> x_grad,
                             detail::output<T> y_grad, const options &with = {}) {
    const std::size_t dim = detail::channels(x, y);
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram_backprop(
            grad.data(), grad.size(), x.data, x.batch, x.length, y.data, y.batch, y.length, dim, x_grad.data(),
            x_grad.size(), y_grad.data(), y_grad.size(), o);
    };
    with.run(call, x, &y);
}

template <class T>
gradients<T> sigkernel_gram_backprop(detail::input<T> grad, const paths<T> &x, const paths<T> &y,
                                     const options &with = {}, wrt wanted = wrt::both) {
    gradients<T> out = detail::room(x, y, with, wanted);
    sigkernel_gram_backprop(grad, x, y, out.x, out.y, with);
    return out;
}

/// The total derivative of sum_ij grad[i][j] * k(x_i, x_j): (batch, length, dim). `grad` need not be symmetric.
template <class T>
void sigkernel_gram_backprop(detail::input<T> grad, const paths<T> &x, detail::output<T> x_grad,
                             const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram_backprop(grad.data(), grad.size(), x.data, x.batch, x.length,
                                                             nullptr, 0, 0, x.dim, x_grad.data(), x_grad.size(),
                                                             nullptr, 0, o);
    };
    with.run(call, x, nullptr, GOURSAT_SYMMETRIC);
}

template <class T>
std::vector<T> sigkernel_gram_backprop(detail::input<T> grad, const paths<T> &x, const options &with = {}) {
    std::vector<T> x_grad(with.gradient_size(x));
    sigkernel_gram_backprop(grad, x, x_grad, with);
    return x_grad;
}

/// Paths with time as their last channel: (batch, length, dim + 1).
template <class T>
void time_augment(const paths<T> &path, detail::output<T> out, const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::time_augment(path.data, path.batch, path.length, path.dim, out.data(),
                                                 out.size(), o);
    };
    with.run(call, path);
}

template <class T>
std::vector<T> time_augment(const paths<T> &path, const options &with = {}) {
    std::vector<T> out(path.batch * path.length * (path.dim + 1));
    time_augment(path, out, with);
    return out;
}

/// The adjoint of time_augment: (batch, length, dim), from a gradient of its result's shape. The values of the paths
/// are not read.
template <class T>
void time_augment_backprop(detail::input<T> grad, const paths<T> &path, detail::output<T> path_grad,
                           const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::time_augment_backprop(grad.data(), grad.size(), path.batch, path.length, path.dim,
                                                          path_grad.data(), path_grad.size(), o);
    };
    with.run(call, path);
}

template <class T>
std::vector<T> time_augment_backprop(detail::input<T> grad, const paths<T> &path, const options &with = {}) {
    std::vector<T> path_grad(with.gradient_size(path));
    time_augment_backprop(grad, path, path_grad, with);
    return path_grad;
}

/// Lead-lag paths: (batch, 2 * length - 1, 2 * dim).
template <class T>
void lead_lag(const paths<T> &path, detail::output<T> out, const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::lead_lag(path.data, path.batch, path.length, path.dim, out.data(),
                                             out.size(), o);
    };
    with.run(call, path);
}

template <class T>
std::vector<T> lead_lag(const paths<T> &path, const options &with = {}) {
    std::vector<T> out(path.length == 0 ? 0 : path.batch * (2 * path.length - 1) * 2 * path.dim);
    lead_lag(path, out, with);
    return out;
}

/// The adjoint of lead_lag: (batch, length, dim), from a gradient of its result's shape. The values of the paths
/// are not read.
template <class T>
void lead_lag_backprop(detail::input<T> grad, const paths<T> &path, detail::output<T> path_grad,
                       const options &with = {}) {
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::lead_lag_backprop(grad.data(), grad.size(), path.batch, path.length, path.dim,
                                                      path_grad.data(), path_grad.size(), o);
    };
    with.run(call, path);
}

template <class T>
std::vector<T> lead_lag_backprop(detail::input<T> grad, const paths<T> &path, const options &with = {}) {
    std::vector<T> path_grad(with.gradient_size(path));
    lead_lag_backprop(grad, path, path_grad, with);
    return path_grad;
}

} // namespace goursat

#endif

/*
 * Goursat for C++17: goursat.h with exceptions instead of status codes, vectors instead of buffers, and options that are
 * set by name. Header only. Shapes, orders and promises are those of goursat.h, and so are the functions' names.
 *
 *     std::vector<double> x = ..., y = ...;               // x: 3 points in 2 channels, y: 2 points
 *     auto k = goursat::sigkernel(goursat::paths(x, 3, 2), goursat::paths(y, 2, 2),
 *                                 goursat::options().time_aug().dyadic_order(2));
 */
#ifndef GOURSAT_HPP
#define GOURSAT_HPP

#include "goursat.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace goursat {

/// A call that failed: the library's sentence, and the status it returned.
class error : public std::runtime_error {
public:
    error(std::int32_t code, const std::string &sentence) : std::runtime_error(sentence), status_(code) {}

    /// One of goursat_status.
    std::int32_t status() const noexcept { return status_; }

private:
    std::int32_t status_;
};

/// Throws the calling thread's last error unless the status is GOURSAT_OK.
inline void check(std::int32_t status) {
    if (status == GOURSAT_OK) {
        return;
    }
    char sentence[GOURSAT_MESSAGE_SIZE];
    goursat_last_error(sentence, sizeof sentence);
    throw error(status, sentence);
}

/// A view of a batch of paths, (batch, length, dim), that somebody else keeps.
template <class T>
struct paths {
    const T *data;
    std::size_t batch, length, dim;

    paths(const T *values, std::size_t paths_in, std::size_t points, std::size_t channels)
        : data(values), batch(paths_in), length(points), dim(channels) {}

    /// As many paths of so many points and channels as the vector holds.
    paths(const std::vector<T> &values, std::size_t points, std::size_t channels)
        : paths(values.data(), 0, points, channels) {
        const std::size_t size = points * channels;
        if (size == 0 || size / channels != points || values.size() % size != 0) {
            throw std::invalid_argument("goursat::paths: the vector does not hold a whole number of paths");
        }
        batch = values.size() / size;
    }
};

/// What goursat_options holds, set by name; keeps its own copy of the lists it is given.
class options {
public:
    /// Appends time as the last channel.
    options &time_aug(double end = 1.0) {
        raw_.flags |= GOURSAT_TIME_AUG;
        return end_time(end);
    }
    /// The end time alone, for time_augment.
    options &end_time(double end) {
        raw_.end_time = end;
        return *this;
    }
    options &lead_lag(bool with_lag_first = false) {
        raw_.flags |= GOURSAT_LEAD_LAG;
        return with_lag_first ? lag_first() : *this;
    }
    /// The order of the blocks alone, for goursat::lead_lag.
    options &lag_first() {
        raw_.flags |= GOURSAT_LAG_FIRST;
        return *this;
    }
    options &scalar_term() {
        raw_.flags |= GOURSAT_SCALAR_TERM;
        return *this;
    }
    options &dyadic_order(std::uint32_t x, std::uint32_t y) {
        raw_.x_order = x;
        raw_.y_order = y;
        return *this;
    }
    options &dyadic_order(std::uint32_t both) { return dyadic_order(both, both); }
    options &threads(std::int32_t most) {
        raw_.threads = most;
        return *this;
    }
    /// Points of each path; an empty list means that all are full.
    options &lengths(std::vector<std::int64_t> x, std::vector<std::int64_t> y = {}) {
        x_lengths_ = std::move(x);
        y_lengths_ = std::move(y);
        return *this;
    }
    /// First element of each path; an empty list means that paths follow each other.
    options &starts(std::vector<std::int64_t> x, std::vector<std::int64_t> y = {}) {
        x_starts_ = std::move(x);
        y_starts_ = std::move(y);
        return *this;
    }
    /// Path, point, channel, in elements.
    options &strides(std::array<std::int64_t, 3> x, std::array<std::int64_t, 3> y = {}) {
        for (std::size_t i = 0; i < 3; ++i) {
            raw_.x_strides[i] = x[i];
            raw_.y_strides[i] = y[i];
        }
        return *this;
    }
    /// Elements in the buffers.
    options &sizes(std::size_t x, std::size_t y = 0) {
        raw_.x_size = x;
        raw_.y_size = y;
        return *this;
    }
    /// Called with (done, total); returning true cancels the call, and what it throws comes out of the call.
    options &progress(std::function<bool(std::uint64_t, std::uint64_t)> callback) {
        progress_ = std::move(callback);
        return *this;
    }

    /// Runs `call` with the C options; they live as long as this object is not changed.
    template <class Call>
    void run(Call call, std::uint64_t more_flags = 0) const {
        goursat_options raw = raw_;
        raw.size = sizeof raw;
        raw.flags |= more_flags;
        raw.x_lengths = list(x_lengths_);
        raw.y_lengths = list(y_lengths_);
        raw.x_starts = list(x_starts_);
        raw.y_starts = list(y_starts_);
        Watch watch{progress_, nullptr};
        if (progress_) {
            raw.progress = &options::tell;
            raw.progress_data = &watch;
        }
        const std::int32_t status = call(&raw);
        if (watch.thrown) {
            std::rethrow_exception(watch.thrown);
        }
        check(status);
    }

    /// Elements in the gradient of a batch, the first or the second of a call.
    template <class T>
    std::size_t gradient_size(const paths<T> &of, bool second = false) const {
        const std::size_t given = second ? raw_.y_size : raw_.x_size;
        const bool packed = !(second ? y_starts_ : x_starts_).empty();
        return packed && given != 0 ? given : of.batch * of.length * of.dim;
    }

private:
    struct Watch {
        const std::function<bool(std::uint64_t, std::uint64_t)> &callback;
        std::exception_ptr thrown;
    };

    // Nothing may be thrown through C.
    static int tell(void *data, std::uint64_t done, std::uint64_t total) noexcept {
        Watch &watch = *static_cast<Watch *>(data);
        try {
            return watch.callback(done, total) ? 1 : 0;
        } catch (...) {
            watch.thrown = std::current_exception();
            return 1;
        }
    }

    static const std::int64_t *list(const std::vector<std::int64_t> &values) {
        return values.empty() ? nullptr : values.data();
    }

    goursat_options raw_ = {};
    std::vector<std::int64_t> x_lengths_, y_lengths_, x_starts_, y_starts_;
    std::function<bool(std::uint64_t, std::uint64_t)> progress_;
};

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

// A pair of one batch where the batches' numbers differ is an error of the caller that C cannot see.
template <class T>
std::size_t pairs(const paths<T> &x, const paths<T> &y) {
    if (x.batch != y.batch) {
        throw std::invalid_argument("goursat: x and y have different numbers of paths");
    }
    return x.batch;
}

template <class T>
std::size_t channels(const paths<T> &x, const paths<T> &y) {
    if (x.dim != y.dim) {
        throw std::invalid_argument("goursat: x and y have different numbers of channels");
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

inline std::string version() { return goursat_version(); }
inline std::string simd_level() { return goursat_simd_level(); }
inline std::int32_t default_threads() { return goursat_default_threads(); }

inline std::size_t signature_length(std::size_t dim, std::size_t degree, const options &with = {}) {
    std::size_t length = 0;
    with.run([&](const goursat_options *o) { return goursat_signature_length(dim, degree, o, &length); });
    return length;
}

/// (batch, signature_length)
template <class T>
std::vector<T> signature(const paths<T> &path, std::size_t degree, const options &with = {}) {
    std::vector<T> out(path.batch * signature_length(path.dim, degree, with));
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::signature(path.data, path.batch, path.length, path.dim, degree, out.data(),
                                               out.size(), o);
    });
    return out;
}

/// (batch, length, dim)
template <class T>
std::vector<T> sig_backprop(const std::vector<T> &grad, const paths<T> &path, std::size_t degree,
                            const options &with = {}) {
    std::vector<T> out(with.gradient_size(path));
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::sig_backprop(grad.data(), grad.size(), path.data, path.batch, path.length,
                                                  path.dim, degree, out.data(), out.size(), o);
    });
    return out;
}

namespace detail {

template <class T, class Function>
gradients<T> pair_backprop(Function function, const std::vector<T> &grad, const paths<T> &x, const paths<T> &y,
                           const options &with, wrt wanted) {
    const std::size_t batch = pairs(x, y), dim = channels(x, y);
    gradients<T> out;
    out.x.resize(wanted == wrt::y ? 0 : with.gradient_size(x));
    out.y.resize(wanted == wrt::x ? 0 : with.gradient_size(y, true));
    with.run([&](const goursat_options *o) {
        return function(grad.data(), grad.size(), x.data, x.length, y.data, y.length, batch, dim,
                        out.x.empty() ? nullptr : out.x.data(), out.x.size(),
                        out.y.empty() ? nullptr : out.y.data(), out.y.size(), o);
    });
    return out;
}

} // namespace detail

/// (batch)
template <class T>
std::vector<T> sigkernel(const paths<T> &x, const paths<T> &y, const options &with = {}) {
    const std::size_t batch = detail::pairs(x, y), dim = detail::channels(x, y);
    std::vector<T> out(batch);
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::sigkernel(x.data, x.length, y.data, y.length, batch, dim, out.data(), out.size(), o);
    });
    return out;
}

/// (batch, x_length, dim) and (batch, y_length, dim), for grad of (batch)
template <class T>
gradients<T> sigkernel_backprop(const std::vector<T> &grad, const paths<T> &x, const paths<T> &y,
                                const options &with = {}, wrt wanted = wrt::both) {
    return detail::pair_backprop(detail::functions<T>::sigkernel_backprop, grad, x, y, with, wanted);
}

/// Rows and columns of the grid of a pair.
inline std::pair<std::size_t, std::size_t> grid_shape(std::size_t x_length, std::size_t y_length,
                                                      const options &with = {}) {
    std::pair<std::size_t, std::size_t> shape;
    with.run([&](const goursat_options *o) {
        return goursat_grid_shape(x_length, y_length, o, &shape.first, &shape.second);
    });
    return shape;
}

/// (batch, rows, columns)
template <class T>
std::vector<T> sigkernel_grid(const paths<T> &x, const paths<T> &y, const options &with = {}) {
    const std::size_t batch = detail::pairs(x, y), dim = detail::channels(x, y);
    const auto shape = grid_shape(x.length, y.length, with);
    std::vector<T> out(batch * shape.first * shape.second);
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_grid(x.data, x.length, y.data, y.length, batch, dim, out.data(),
                                                    out.size(), o);
    });
    return out;
}

/// (batch, x_length, dim) and (batch, y_length, dim), for grad of (batch, rows, columns)
template <class T>
gradients<T> sigkernel_grid_backprop(const std::vector<T> &grad, const paths<T> &x, const paths<T> &y,
                                     const options &with = {}, wrt wanted = wrt::both) {
    return detail::pair_backprop(detail::functions<T>::sigkernel_grid_backprop, grad, x, y, with, wanted);
}

/// (x_batch, y_batch)
template <class T>
std::vector<T> sigkernel_gram(const paths<T> &x, const paths<T> &y, const options &with = {}) {
    const std::size_t dim = detail::channels(x, y);
    std::vector<T> out(x.batch * y.batch);
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram(x.data, x.batch, x.length, y.data, y.batch, y.length, dim, out.data(),
                                                    out.size(), o);
    });
    return out;
}

/// Of x with itself: (batch, batch), symmetric to the last bit
template <class T>
std::vector<T> sigkernel_gram(const paths<T> &x, const options &with = {}) {
    std::vector<T> out(x.batch * x.batch);
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram(x.data, x.batch, x.length, nullptr, 0, 0, x.dim, out.data(),
                                                    out.size(), o);
    };
    with.run(call, GOURSAT_SYMMETRIC);
    return out;
}

/// (x_batch, x_length, dim) and (y_batch, y_length, dim), for grad of (x_batch, y_batch)
template <class T>
gradients<T> sigkernel_gram_backprop(const std::vector<T> &grad, const paths<T> &x, const paths<T> &y,
                                     const options &with = {}, wrt wanted = wrt::both) {
    const std::size_t dim = detail::channels(x, y);
    gradients<T> out;
    out.x.resize(wanted == wrt::y ? 0 : with.gradient_size(x));
    out.y.resize(wanted == wrt::x ? 0 : with.gradient_size(y, true));
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram_backprop(
            grad.data(), grad.size(), x.data, x.batch, x.length, y.data, y.batch, y.length, dim,
            out.x.empty() ? nullptr : out.x.data(), out.x.size(), out.y.empty() ? nullptr : out.y.data(), out.y.size(), o);
    });
    return out;
}

/// The total derivative of the Gram matrix of x with itself: (batch, length, dim)
template <class T>
std::vector<T> sigkernel_gram_backprop(const std::vector<T> &grad, const paths<T> &x, const options &with = {}) {
    std::vector<T> out(with.gradient_size(x));
    const auto call = [&](const goursat_options *o) {
        return detail::functions<T>::sigkernel_gram_backprop(grad.data(), grad.size(), x.data, x.batch, x.length, nullptr,
                                                             0, 0, x.dim, out.data(), out.size(), nullptr, 0, o);
    };
    with.run(call, GOURSAT_SYMMETRIC);
    return out;
}

/// (batch, length, dim + 1)
template <class T>
std::vector<T> time_augment(const paths<T> &path, const options &with = {}) {
    std::vector<T> out(path.batch * path.length * (path.dim + 1));
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::time_augment(path.data, path.batch, path.length, path.dim, out.data(), out.size(), o);
    });
    return out;
}

/// (batch, 2 * length - 1, 2 * dim)
template <class T>
std::vector<T> lead_lag(const paths<T> &path, const options &with = {}) {
    std::vector<T> out(path.length == 0 ? 0 : path.batch * (2 * path.length - 1) * 2 * path.dim);
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::lead_lag(path.data, path.batch, path.length, path.dim, out.data(), out.size(), o);
    });
    return out;
}

/// (batch, length, dim), for grad of the shape of time_augment; the paths' values are not read
template <class T>
std::vector<T> time_augment_backprop(const std::vector<T> &grad, const paths<T> &path, const options &with = {}) {
    std::vector<T> out(with.gradient_size(path));
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::time_augment_backprop(grad.data(), grad.size(), path.batch, path.length, path.dim,
                                                           out.data(), out.size(), o);
    });
    return out;
}

/// (batch, length, dim), for grad of the shape of lead_lag; the paths' values are not read
template <class T>
std::vector<T> lead_lag_backprop(const std::vector<T> &grad, const paths<T> &path, const options &with = {}) {
    std::vector<T> out(with.gradient_size(path));
    with.run([&](const goursat_options *o) {
        return detail::functions<T>::lead_lag_backprop(grad.data(), grad.size(), path.batch, path.length, path.dim,
                                                       out.data(), out.size(), o);
    });
    return out;
}

} // namespace goursat

#endif

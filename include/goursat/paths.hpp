/*
 * What the functions of goursat.hpp read and write: contiguous numbers (view) and batches of paths (paths), dense,
 * strided or ragged. Nothing is copied and nothing is owned, but by goursat::packed_paths.
 *
 *     goursat::paths x(values, 3, 2);                        // dense: as many paths of 3 points in 2 channels as fit
 *     goursat::strided(values, 1, 3, 2, {0, 1, 3});          // a column-major matrix of 3 rows and 2 columns
 *     goursat::ragged(values, 3, 2, {2, 3});                 // room for 3 points each, of which 2 and 3 are used
 *     goursat::packed(values, 2, {2, 3});                    // paths of 2 and of 3 points, one after the other
 *     goursat::pack(std::vector<std::vector<double>>{a, b}, 2).view();   // separate vectors, which are copied
 *
 * `values` is anything contiguous with data() and size(): std::vector, std::array, std::span, an Eigen vector; or a C
 * array.
 */
#ifndef GOURSAT_PATHS_HPP
#define GOURSAT_PATHS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace goursat {

/// Contiguous numbers that somebody else keeps: view<const T> is read, view<T> written. What std::span is in C++20, and
/// made from one, from a vector, an array or a pointer and a size.
template <class T>
class view {
public:
    view(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

    /// No numbers: of two gradients, the one that is not wanted.
    view(std::nullptr_t) noexcept : view(nullptr, 0) {}

    /// Anything contiguous. To be written to, it must outlive the call: a vector that is about to vanish is refused.
    template <class Range, class = std::enable_if_t<std::is_convertible_v<
                               std::remove_reference_t<decltype(*std::data(std::declval<const Range &>()))> (*)[],
                               T (*)[]>>>
    view(Range &&range) noexcept : view(std::data(range), std::size(range)) {}

    /// Numbers in braces, which last as long as the call that they are given to.
    template <class U = T, class = std::enable_if_t<std::is_const_v<U>>>
    view(std::initializer_list<std::remove_const_t<T>> values) noexcept : view(std::data(values), values.size()) {}

    T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

private:
    T *data_;
    std::size_t size_;
};

/// Distances from path to path, point to point and channel to channel, in elements; 0 and negative ones are legal. A
/// path distance of 0 uses one path for the whole batch.
using distances = std::array<std::int64_t, 3>;

/// How a batch lies in its buffer: what x_lengths, x_starts, x_strides and x_size of goursat_options say.
struct layout {
    std::size_t batch, length, dim;
    std::vector<std::int64_t> lengths; ///< Points of each path; empty: all have `length`.
    std::vector<std::int64_t> starts;  ///< First element of each path; empty: at b * strides[0].
    goursat::distances strides;        ///< All 0: contiguous.
    std::size_t size;                  ///< Elements in the buffer; 0: as many as the shape needs.

    layout(std::size_t paths_in, std::size_t points, std::size_t channels)
        : batch(paths_in), length(points), dim(channels), strides{}, size(0) {}

    /// Elements in a gradient with respect to this batch: those of (batch, length, dim), or, with starts, up to the end
    /// of the last path.
    std::size_t gradient_size() const {
        if (starts.empty()) {
            return batch * length * dim;
        }
        std::size_t end = size;
        for (std::size_t b = 0; b < starts.size(); ++b) {
            const std::int64_t points = b < lengths.size() ? lengths[b] : std::int64_t(length);
            const bool sound = starts[b] >= 0 && points >= 0 && std::size_t(points) <= length;
            // A list that is not sound is refused by the library, whatever the gradient's size.
            end = std::max(end, sound ? std::size_t(starts[b]) + std::size_t(points) * dim : 0);
        }
        return end;
    }
};

namespace detail {

/// The type of the numbers in a contiguous range.
template <class Range>
using element = std::remove_cv_t<std::remove_reference_t<decltype(*std::data(std::declval<const Range &>()))>>;

inline std::size_t count_paths(std::size_t numbers, std::size_t points, std::size_t channels) {
    const std::size_t size = points * channels;
    if (size == 0 || size / channels != points || numbers % size != 0) {
        throw std::invalid_argument("goursat::paths: " + std::to_string(numbers) +
                                    " numbers are not a whole number of paths of " + std::to_string(points) +
                                    " points in " + std::to_string(channels) + " channels");
    }
    return numbers / size;
}

} // namespace detail

/// A view of a batch of paths, (batch, length, dim) in row-major order unless its layout says otherwise, that somebody
/// else keeps. What is given without a size is believed to be as large as the shape says.
template <class T>
struct paths : layout {
    const T *data;

    paths(const T *values, std::size_t paths_in, std::size_t points, std::size_t channels)
        : layout(paths_in, points, channels), data(values) {}

    /// As many paths of so many points and channels as there are numbers; std::invalid_argument if some are left over.
    paths(view<const T> values, std::size_t points, std::size_t channels)
        : paths(values.data(), detail::count_paths(values.size(), points, channels), points, channels) {}

    /// Any layout, checked against the numbers there are when a function is called; std::invalid_argument where there
    /// are none for paths that there are.
    paths(view<const T> values, layout lies) : layout(std::move(lies)), data(values.data()) {
        if (values.size() == 0 && batch > 0) { // a size of 0 would mean to C that it need not check
            throw std::invalid_argument("goursat::paths: no numbers for " + std::to_string(batch) + " paths");
        }
        size = values.size();
    }
};

template <class Range>
paths(const Range &, std::size_t, std::size_t) -> paths<detail::element<Range>>;

/// `batch` paths whose element (b, i, c) is at b * strides[0] + i * strides[1] + c * strides[2], or, with starts, at
/// starts[b] + i * strides[1] + c * strides[2]: transposed, sliced, windows of one series, or, by starts, reversed.
/// Gradients with respect to them are contiguous, (batch, points, channels), with an entry for each use of a number;
/// with starts, contiguous from the same starts on.
template <class Range>
paths<detail::element<Range>> strided(const Range &values, std::size_t batch, std::size_t points, std::size_t channels,
                                      const distances &by, std::vector<std::int64_t> starts = {}) {
    layout lies(batch, points, channels);
    lies.strides = by;
    lies.starts = std::move(starts);
    return {view<const detail::element<Range>>(values), std::move(lies)};
}

/// Paths with room for `points` points each, of which path b uses the first lengths[b]; what lies behind is never read.
template <class Range>
paths<detail::element<Range>> ragged(const Range &values, std::size_t points, std::size_t channels,
                                     std::vector<std::int64_t> lengths) {
    layout lies(lengths.size(), points, channels);
    lies.lengths = std::move(lengths);
    return {view<const detail::element<Range>>(values), std::move(lies)};
}

/// Paths of lengths[b] points, one after the other without gaps. Gradients with respect to them are packed in the same
/// way; std::invalid_argument where lengths are less than 1 or the numbers are not those of the lengths.
template <class Range>
paths<detail::element<Range>> packed(const Range &values, std::size_t channels, std::vector<std::int64_t> lengths) {
    const std::size_t numbers = std::size(values);
    layout lies(lengths.size(), 1, channels);
    std::size_t end = 0;
    for (const std::int64_t points : lengths) {
        if (points < 1 || channels == 0 || std::size_t(points) > (numbers - end) / channels) {
            throw std::invalid_argument("goursat::packed: a path of " + std::to_string(points) + " points in " +
                                        std::to_string(channels) + " channels cannot begin at element " +
                                        std::to_string(end) + " of " + std::to_string(numbers));
        }
        lies.starts.push_back(std::int64_t(end));
        lies.length = std::max(lies.length, std::size_t(points));
        end += std::size_t(points) * channels;
    }
    if (end != numbers) {
        throw std::invalid_argument("goursat::packed: the lengths are of " + std::to_string(end) +
                                    " numbers, but there are " + std::to_string(numbers));
    }
    lies.lengths = std::move(lengths);
    return {view<const detail::element<Range>>(values), std::move(lies)};
}

/// A ragged batch that owns its numbers. `view()` is what functions take; it lasts as long as this object is unchanged.
template <class T>
struct packed_paths {
    std::vector<T> values;             ///< The paths, one after the other.
    std::vector<std::int64_t> lengths; ///< Points of each.
    std::size_t dim;                   ///< Channels of all.

    paths<T> view() const { return packed(values, dim, lengths); }
};

/// Copies paths from vectors of their own, each (length, channels), to one batch; std::invalid_argument where one is
/// not a whole number of points.
template <class Paths>
auto pack(const Paths &list, std::size_t channels) {
    packed_paths<detail::element<decltype(*std::begin(list))>> batch{{}, {}, channels};
    for (const auto &path : list) {
        const std::size_t numbers = std::size(path);
        if (channels == 0 || numbers == 0 || numbers % channels != 0) {
            throw std::invalid_argument("goursat::pack: path " + std::to_string(batch.lengths.size()) + " has " +
                                        std::to_string(numbers) + " numbers, which is no path in " +
                                        std::to_string(channels) + " channels");
        }
        batch.values.insert(batch.values.end(), std::begin(path), std::end(path));
        batch.lengths.push_back(std::int64_t(numbers / channels));
    }
    return batch;
}

} // namespace goursat

#endif

/*
 * What a call may be told besides its arguments, set by name, and how it fails: goursat::options and goursat::error.
 *
 *     const auto with = goursat::options().time_aug().lead_lag().dyadic_order(2).threads(4);
 */
#ifndef GOURSAT_OPTIONS_HPP
#define GOURSAT_OPTIONS_HPP

#include "../goursat.h"
#include "paths.hpp"

#include <exception>
#include <functional>

namespace goursat {

/// A call that failed: the library's sentence, which names function, argument, value and what was expected, and its
/// status.
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

/// What goursat_options holds, set by name; keeps its own copy of the lists it is given. May be used for any number of
/// calls, from several threads at once. An option that a function cannot use is an error, as in C.
class options {
public:
    /// Appends time as the last channel: 0 at the first point of each path, `end` at its last.
    options &time_aug(double end = 1.0) {
        raw_.flags |= GOURSAT_TIME_AUG;
        return end_time(end);
    }
    /// The end time alone, for goursat::time_augment.
    options &end_time(double end) {
        raw_.end_time = end;
        return *this;
    }
    /// Replaces each path by its lead-lag path, (lead, lag) or (lag, lead), before time is appended.
    options &lead_lag(bool with_lag_first = false) {
        raw_.flags |= GOURSAT_LEAD_LAG;
        return with_lag_first ? lag_first() : *this;
    }
    /// The order of the blocks alone, for goursat::lead_lag.
    options &lag_first() {
        raw_.flags |= GOURSAT_LAG_FIRST;
        return *this;
    }
    /// Begins each signature with its level 0, the number 1.
    options &scalar_term() {
        raw_.flags |= GOURSAT_SCALAR_TERM;
        return *this;
    }
    /// Computes every coefficient of a signature along the path: slower, with errors of 1e-15 of a level's largest
    /// coefficient instead of up to 3e-14.
    options &direct() {
        raw_.flags |= GOURSAT_DIRECT;
        return *this;
    }
    /// Cuts each increment of x into 2^x parts and each of y into 2^y in kernels; at most 16.
    options &dyadic_order(std::uint32_t x, std::uint32_t y) {
        raw_.x_order = x;
        raw_.y_order = y;
        return *this;
    }
    options &dyadic_order(std::uint32_t both) { return dyadic_order(both, both); }
    /// Threads to use at most; 0: as many as GOURSAT_NUM_THREADS says, or as there are cores.
    options &threads(std::int32_t most) {
        raw_.threads = most;
        return *this;
    }
    /// Called with (done, total) on the calling thread, some 20 times a second at most. Returning true cancels the
    /// call; what it throws comes out of the call.
    options &progress(std::function<bool(std::uint64_t, std::uint64_t)> callback) {
        progress_ = std::move(callback);
        return *this;
    }

    /// Lets CUDA device `index` work on copies of buffers in host memory; results are there when a call returns.
    options &cuda(std::int32_t index = 0) {
        raw_.memory = GOURSAT_CUDA_COPY;
        raw_.device = index;
        raw_.stream = nullptr;
        return *this;
    }
    /// All buffers of numbers are in the memory of CUDA device `index`, and the stream (a CUstream or cudaStream_t; null is
    /// the legacy default stream) gets the work: for functions that are told where results go.
    options &cuda_memory(std::int32_t index = 0, void *stream = nullptr) {
        raw_.memory = GOURSAT_CUDA;
        raw_.device = index;
        raw_.stream = stream;
        return *this;
    }
    /// Device memory to work in, with cuda_memory: its bytes are what `workspace_query` gave, or more.
    options &workspace(void *memory, std::size_t bytes) {
        raw_.workspace = memory;
        raw_.workspace_size = bytes;
        return *this;
    }
    /// With cuda_memory: calls compute nothing and store the bytes of workspace that they need. Null: they compute.
    options &workspace_query(std::size_t *bytes) {
        raw_.workspace_query = bytes;
        return *this;
    }

    // Layouts are usually said by goursat::strided, ragged and packed. These are for paths that do not say, as in C.

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
    options &strides(const distances &x, const distances &y = {}) {
        x_strides_ = x;
        y_strides_ = y;
        return *this;
    }
    /// Elements in the buffers.
    options &sizes(std::size_t x, std::size_t y = 0) {
        raw_.x_size = x;
        raw_.y_size = y;
        return *this;
    }

    /// Runs `call` with the C options, which last as long as it does, and throws what went wrong.
    template <class Call>
    void run(Call call, std::uint64_t more_flags = 0) const {
        goursat_options raw = raw_;
        raw.flags |= more_flags;
        finish(raw, call);
    }

    /// The same for the paths x, and y where there are any. std::invalid_argument where a list has not an entry a path,
    /// or a layout is said twice.
    template <class Call>
    void run(Call call, const layout &x, const layout *y = nullptr, std::uint64_t more_flags = 0) const {
        const layout first = merged(x, false);
        goursat_options raw = raw_;
        raw.flags |= more_flags;
        place(first, raw.x_lengths, raw.x_starts, raw.x_strides, raw.x_size);
        if (y == nullptr) {
            return finish(raw, call);
        }
        const layout second = merged(*y, true);
        place(second, raw.y_lengths, raw.y_starts, raw.y_strides, raw.y_size);
        finish(raw, call);
    }

    /// Elements in the gradient with respect to x, or to y if it is the second batch of the call.
    std::size_t gradient_size(const layout &of, bool second = false) const {
        return merged(of, second).gradient_size();
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

    template <class Call>
    void finish(goursat_options &raw, Call call) const {
        raw.size = sizeof raw;
        Watch watch{progress_, nullptr};
        if (progress_) {
            raw.progress = &options::tell;
            raw.progress_data = &watch;
        }
        const std::int32_t status = call(static_cast<const goursat_options *>(&raw));
        if (watch.thrown) {
            std::rethrow_exception(watch.thrown);
        }
        check(status);
    }

    static void place(const layout &from, const std::int64_t *&lengths, const std::int64_t *&starts,
                      std::int64_t (&by)[3], std::size_t &size) {
        lengths = from.lengths.empty() ? nullptr : from.lengths.data();
        starts = from.starts.empty() ? nullptr : from.starts.data();
        std::copy(from.strides.begin(), from.strides.end(), by);
        size = from.size;
    }

    /// What the paths say of their layout and what the options say, which must not be the same thing twice.
    layout merged(layout of, bool second) const {
        const char *name = second ? "y" : "x";
        take(of.lengths, second ? y_lengths_ : x_lengths_, name, "lengths");
        take(of.starts, second ? y_starts_ : x_starts_, name, "starts");
        take(of.strides, second ? y_strides_ : x_strides_, name, "strides");
        take(of.size, second ? raw_.y_size : raw_.x_size, name, "size");
        // C is not told how long a list is.
        check_list(of.lengths, of.batch, name, "lengths");
        check_list(of.starts, of.batch, name, "starts");
        return of;
    }

    template <class V>
    static void take(V &own, const V &given, const char *name, const char *what) {
        if (given == V{}) {
            return;
        }
        if (own != V{}) {
            throw std::invalid_argument(std::string("goursat: the ") + what + " of " + name +
                                        " are in its paths and in the options; expected in one of them");
        }
        own = given;
    }

    static void check_list(const std::vector<std::int64_t> &list, std::size_t batch, const char *name,
                           const char *what) {
        if (!list.empty() && list.size() != batch) {
            throw std::invalid_argument(std::string("goursat: the ") + what + " of " + name + " have " +
                                        std::to_string(list.size()) + " entries; expected " + std::to_string(batch) +
                                        ", one a path");
        }
    }

    goursat_options raw_ = {};
    distances x_strides_{}, y_strides_{};
    std::vector<std::int64_t> x_lengths_, y_lengths_, x_starts_, y_starts_;
    std::function<bool(std::uint64_t, std::uint64_t)> progress_;
};

} // namespace goursat

#endif

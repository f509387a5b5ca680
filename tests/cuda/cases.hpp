// A case: paths as a caller may have them, what is asked of them, and what the CPU library says.
#pragma once
#include "goursat.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

enum class Layout { dense, ragged, packed, strided };

// One side: paths of at most `length` points, in memory as `layout` says. What is not a point of a path is NaN.
struct Paths {
    int count, length, dim;
    Layout layout;
    std::vector<double> data;
    std::vector<int64_t> lengths, starts;
    int64_t strides[3];

    Paths(int count, int length, int dim, Layout layout, unsigned seed) : count(count), length(length), dim(dim), layout(layout) {
        std::mt19937 rng(seed);
        const bool ragged = layout != Layout::dense && layout != Layout::strided;
        for (int b = 0; b < count; b++) lengths.push_back(ragged && b ? 1 + int64_t(rng() % length) : length);
        int64_t total = int64_t(count) * length * dim;
        strides[0] = int64_t(length) * dim, strides[1] = dim, strides[2] = 1;
        if (layout == Layout::strided) { // (channel, point, path), reversed in nothing but order
            strides[0] = 1, strides[1] = count, strides[2] = int64_t(count) * length;
        }
        if (layout == Layout::packed) {
            total = 0;
            for (int b = 0; b < count; b++) {
                starts.push_back(total + b); // one element lies between
                total = starts.back() + lengths[b] * dim;
            }
        }
        data.assign(size_t(total), NAN);
        fill(rng);
    }

    int64_t at(int path, int point, int channel) const {
        const int64_t start = starts.empty() ? path * strides[0] : starts[size_t(path)];
        return start + point * strides[1] + channel * strides[2];
    }

    template <class T> std::vector<T> as() const { return std::vector<T>(data.begin(), data.end()); }

private:
    // Walks of some smoothness, rounded to f32, so that both precisions see the same paths.
    void fill(std::mt19937 &rng) {
        std::normal_distribution<double> normal(0, 1);
        for (int b = 0; b < count; b++) {
            const double size = (b % 2 ? 1.5 : 0.7) / std::sqrt(double(dim) * length);
            for (int c = 0; c < dim; c++) {
                double value = normal(rng);
                for (int p = 0; p < lengths[size_t(b)]; p++) {
                    data[size_t(at(b, p, c))] = float(value);
                    value += size * normal(rng);
                }
            }
        }
    }
};

struct Asked {
    int x_order = 0, y_order = 0;
    bool lead_lag = false, time = false;
    double end_time = 0;
    bool gram = false, symmetric = false;

    double end() const { return end_time == 0 ? 1 : end_time; }
};

inline goursat_options options_of(const Asked &asked, const Paths &x, const Paths *y) {
    goursat_options o{};
    o.size = sizeof o;
    o.threads = 1;
    o.flags = (asked.lead_lag ? GOURSAT_LEAD_LAG : 0) | (asked.time ? GOURSAT_TIME_AUG : 0) |
              (asked.symmetric ? GOURSAT_SYMMETRIC : 0);
    o.end_time = asked.end_time;
    o.x_order = uint32_t(asked.x_order);
    o.y_order = uint32_t(asked.y_order);
    const auto side = [](const Paths &p, const int64_t **lengths, const int64_t **starts, int64_t *strides, size_t *size) {
        *lengths = p.lengths.data();
        *starts = p.starts.empty() ? nullptr : p.starts.data();
        for (int i = 0; i < 3; i++) strides[i] = p.strides[i];
        *size = p.data.size();
    };
    side(x, &o.x_lengths, &o.x_starts, o.x_strides, &o.x_size);
    if (y && !asked.symmetric) side(*y, &o.y_lengths, &o.y_starts, o.y_strides, &o.y_size);
    return o;
}

inline void must(int32_t status, const char *what) {
    if (status == GOURSAT_OK) return;
    char message[GOURSAT_MESSAGE_SIZE];
    goursat_last_error(message, sizeof message);
    std::fprintf(stderr, "%s: %s\n", what, message);
    std::exit(1);
}

// Counts what was compared, and complains.
struct Score {
    long compared = 0, wrong = 0;
    double worst = 0;

    // Differences are relative to the largest number of a group, or to 1e-300; NaN must meet NaN.
    template <class T>
    void compare(const std::string &what, const std::vector<T> &got, const std::vector<double> &wanted, double bound) {
        double scale = 1e-300;
        for (double w : wanted) {
            if (std::isfinite(w)) scale = std::max(scale, std::fabs(w));
        }
        double worst_here = got.size() == wanted.size() ? 0 : INFINITY;
        size_t where = 0;
        for (size_t i = 0; i < wanted.size() && i < got.size(); i++) {
            double off = std::fabs(double(got[i]) - wanted[i]) / scale;
            if (std::isnan(wanted[i])) off = std::isnan(double(got[i])) ? 0 : INFINITY;
            if (!(off <= worst_here)) worst_here = std::isnan(off) ? INFINITY : off, where = i;
        }
        compared++;
        worst = std::max(worst, worst_here);
        if (worst_here <= bound) return;
        wrong++;
        if (wrong > 20) return;
        std::fprintf(stderr, "WRONG %s: [%zu] is %.17g, expected %.17g: %.3g of the largest, more than %.3g\n", what.c_str(), where,
                     got.size() > where ? double(got[where]) : NAN, wanted.size() > where ? wanted[where] : NAN, worst_here, bound);
    }
};

// The library's functions as one: a case says which, where its buffers are says the options.
#pragma once
#include "cases.hpp"
#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <functional>

enum class What { signature, sig_backprop, kernel, kernel_backprop, grid, grid_backprop, gram, gram_backprop, time_augment, time_augment_backprop, lead_lag, lead_lag_backprop };
inline const char *const NAMES[] = {"signature", "sig_backprop", "kernel", "kernel_backprop", "grid", "grid_backprop", "gram", "gram_backprop", "time_augment", "time_augment_backprop", "lead_lag", "lead_lag_backprop"};

struct Case {
    What what;
    Paths x, y;
    Asked asked;
    size_t degree = 2;
    bool scalar = false, lag_first = false;
    int wrt = 3; // 1: x, 2: y

    bool words() const { return what == What::signature || what == What::sig_backprop; }
    bool transforms() const { return what >= What::time_augment; }
    bool back() const { return int(what) % 2; }
    bool alone() const { return words() || transforms() || asked.symmetric; }

    std::string name() const {
        char text[200];
        std::snprintf(text, sizeof text, "%s of %d paths of %d and %d of %d points in %d channels, layout %d, degree %zu, orders %d %d%s%s%s%s, wrt %d",
                      NAMES[int(what)], x.count, x.length, y.count, y.length, x.dim, int(x.layout), degree, asked.x_order, asked.y_order,
                      asked.lead_lag ? ", lead-lag" : "", asked.time ? ", time" : "", asked.symmetric ? ", symmetric" : "", scalar ? ", level 0" : "", wrt);
        return text;
    }
    goursat_options options() const {
        goursat_options o = options_of(asked, x, alone() ? nullptr : &y);
        if (scalar) o.flags |= GOURSAT_SCALAR_TERM;
        if (lag_first) o.flags |= GOURSAT_LAG_FIRST;
        return o;
    }
    // Numbers in results, or in their gradient.
    size_t count() const {
        const goursat_options o = options();
        size_t rows = 1, columns = 1, words_ = 0;
        if (words()) {
            must(goursat_signature_length(size_t(x.dim), degree, &o, &words_), "length");
            return size_t(x.count) * words_;
        }
        if (what >= What::lead_lag) return size_t(x.count) * size_t(2 * x.length - 1) * size_t(2 * x.dim);
        if (transforms()) return size_t(x.count) * size_t(x.length) * size_t(x.dim + 1);
        if (what == What::gram || what == What::gram_backprop) return size_t(x.count) * size_t(asked.symmetric ? x.count : y.count);
        if (what == What::grid || what == What::grid_backprop) must(goursat_grid_shape(size_t(x.length), size_t(y.length), &o, &rows, &columns), "shape");
        return size_t(x.count) * rows * columns;
    }
    static size_t gradient_size(const Paths &p) {
        if (p.starts.empty()) return size_t(p.count) * size_t(p.length) * size_t(p.dim);
        return p.count ? size_t(p.starts.back() + p.lengths.back() * p.dim) : 0;
    }
    bool wants(int side) const { return back() && (side ? !alone() && wrt & 2 : wrt & 1 || alone()); }
};

// Where the numbers of a call are, in one of two kinds of memory.
template <class T> struct Numbers {
    const T *x = nullptr, *y = nullptr;
    T *values = nullptr;             // results, or the weights of them
    T *gradients[2] = {nullptr, nullptr};
};

#define GOURSAT_TEST_CALL(T, suffix)                                                                                   \
    inline int32_t invoke(const Case &c, const Numbers<T> &n, const goursat_options &o) {                              \
        const size_t bx = size_t(c.x.count), by = size_t(c.y.count), lx = size_t(c.x.length), ly = size_t(c.y.length); \
        const size_t d = size_t(c.x.dim), count = c.count();                                                           \
        const size_t gx = c.wants(0) ? Case::gradient_size(c.x) : 0, gy = c.wants(1) ? Case::gradient_size(c.y) : 0;    \
        T *const *g = n.gradients;                                                                                     \
        switch (c.what) {                                                                                              \
        case What::signature: return goursat_signature_##suffix(n.x, bx, lx, d, c.degree, n.values, count, &o);         \
        case What::sig_backprop: return goursat_sig_backprop_##suffix(n.values, count, n.x, bx, lx, d, c.degree, g[0], gx, &o); \
        case What::kernel: return goursat_sigkernel_##suffix(n.x, lx, n.y, ly, bx, d, n.values, count, &o);             \
        case What::kernel_backprop:                                                                                    \
            return goursat_sigkernel_backprop_##suffix(n.values, count, n.x, lx, n.y, ly, bx, d, g[0], gx, g[1], gy, &o); \
        case What::grid: return goursat_sigkernel_grid_##suffix(n.x, lx, n.y, ly, bx, d, n.values, count, &o);          \
        case What::grid_backprop:                                                                                      \
            return goursat_sigkernel_grid_backprop_##suffix(n.values, count, n.x, lx, n.y, ly, bx, d, g[0], gx, g[1], gy, &o); \
        case What::gram: return goursat_sigkernel_gram_##suffix(n.x, bx, lx, n.y, by, ly, d, n.values, count, &o);      \
        case What::time_augment: return goursat_time_augment_##suffix(n.x, bx, lx, d, n.values, count, &o);             \
        case What::lead_lag: return goursat_lead_lag_##suffix(n.x, bx, lx, d, n.values, count, &o);                     \
        case What::time_augment_backprop: return goursat_time_augment_backprop_##suffix(n.values, count, bx, lx, d, g[0], gx, &o); \
        case What::lead_lag_backprop: return goursat_lead_lag_backprop_##suffix(n.values, count, bx, lx, d, g[0], gx, &o); \
        default:                                                                                                       \
            return goursat_sigkernel_gram_backprop_##suffix(n.values, count, n.x, bx, lx, n.y, by, ly, d, g[0], gx, g[1], gy, &o); \
        }                                                                                                              \
    }
GOURSAT_TEST_CALL(double, f64)
GOURSAT_TEST_CALL(float, f32)
#undef GOURSAT_TEST_CALL

// The weights of results, the same in both precisions.
inline std::vector<double> weights_of(const Case &c) {
    std::mt19937 rng(unsigned(c.count()));
    std::normal_distribution<double> normal(0, 1);
    std::vector<double> weights(c.count());
    for (double &w : weights) w = float(normal(rng));
    return weights;
}

// Results in host memory: values, or gradients of x and of y. What a call does not write is NaN.
template <class T> struct Host {
    std::vector<T> x, y, values, gradients[2];

    explicit Host(const Case &c) : x(c.x.as<T>()), y(c.y.as<T>()), values(c.count(), T(NAN)) {
        if (c.back()) {
            const auto weights = weights_of(c);
            values.assign(weights.begin(), weights.end());
        }
        if (c.wants(0)) gradients[0].assign(Case::gradient_size(c.x), T(NAN));
        if (c.wants(1)) gradients[1].assign(Case::gradient_size(c.y), T(NAN));
    }
    Numbers<T> numbers() {
        const auto at = [](std::vector<T> &v) { return v.empty() ? nullptr : v.data(); };
        return {at(x), at(y), at(values), {at(gradients[0]), at(gradients[1])}};
    }
    std::vector<T> results(const Case &c) const {
        if (!c.back()) return values;
        std::vector<T> all = gradients[0];
        all.insert(all.end(), gradients[1].begin(), gradients[1].end());
        return all;
    }
};

// The driver, real or in its place: what a caller of the library uses of it.
struct Driver {
    void *library = nullptr;
    bool pretends = false;

    Driver() {
        for (const char *name : {"libcuda.so", "libcuda.so.1"}) {
            if (!library) library = dlopen(name, RTLD_NOW);
        }
        if (!library) std::fprintf(stderr, "no libcuda\n"), std::exit(1);
        pretends = dlsym(library, "standin_calls");
    }
    template <class... A> int call(const char *name, A... args) const {
        const auto f = reinterpret_cast<int (*)(A...)>(dlsym(library, name));
        if (!f) std::fprintf(stderr, "no %s\n", name), std::exit(1);
        return f(args...);
    }
    template <class... A> void must(const char *name, A... args) const {
        if (const int status = call(name, args...)) std::fprintf(stderr, "%s: %d\n", name, status), std::exit(1);
    }
    long standin(const char *name) const { return reinterpret_cast<long (*)()>(dlsym(library, name))(); }
    void fail(long at, int status) const { reinterpret_cast<void (*)(long, int)>(dlsym(library, "standin_fail"))(at, status); }
    void *current() const {
        void *context = nullptr;
        must("cuCtxGetCurrent", &context);
        return context;
    }
};

// Numbers of a call in device memory, in allocations of their own.
template <class T> struct OnDevice {
    const Driver &driver;
    std::vector<unsigned long long> owned;
    Numbers<T> n;

    OnDevice(const Driver &driver, Host<T> &host) : driver(driver) {
        n.x = upload(host.x), n.y = upload(host.y), n.values = upload(host.values);
        for (int i = 0; i < 2; i++) n.gradients[i] = upload(host.gradients[i]);
    }
    ~OnDevice() {
        for (auto address : owned) driver.must("cuMemFree_v2", address);
    }
    OnDevice(const OnDevice &) = delete;

    T *upload(const std::vector<T> &from) {
        if (from.empty()) return nullptr;
        unsigned long long address = 0;
        driver.must("cuMemAlloc_v2", &address, from.size() * sizeof(T));
        owned.push_back(address);
        driver.must("cuMemcpyHtoD_v2", address, static_cast<const void *>(from.data()), from.size() * sizeof(T));
        return reinterpret_cast<T *>(address);
    }
    void download(Host<T> &to) const {
        const auto one = [&](std::vector<T> &v, const T *from) {
            if (!v.empty()) driver.must("cuMemcpyDtoH_v2", static_cast<void *>(v.data()), (unsigned long long)(uintptr_t)from, v.size() * sizeof(T));
        };
        one(to.values, n.values);
        for (int i = 0; i < 2; i++) one(to.gradients[i], n.gradients[i]);
    }
};

// The C++ layer: overloads of both precisions, vectors, options, exceptions.
#include "goursat.hpp"

#include <cmath>
#include <cstdlib>
#include <iostream>

#define EXPECT(condition)                                                                                             \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            std::cerr << "line " << __LINE__ << ": " #condition << std::endl;                                         \
            std::exit(1);                                                                                             \
        }                                                                                                             \
    } while (false)

template <class T>
static bool near(const std::vector<T> &got, const std::vector<double> &wanted) {
    if (got.size() != wanted.size()) {
        return false;
    }
    const double tolerance = sizeof(T) == 8 ? 1e-14 : 1e-6;
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (!(std::fabs(double(got[i]) - wanted[i]) <= tolerance * (1 + std::fabs(wanted[i])))) {
            std::cerr << "[" << i << "]: " << got[i] << ", expected " << wanted[i] << std::endl;
            return false;
        }
    }
    return true;
}

// As in values.c: one increment (1, 2) against (1, 1/2).
template <class T>
static void values() {
    const std::vector<T> xs{0, 0, 1, 2}, ys{0, 0, 1, T(0.5)};
    const goursat::paths<T> x(xs, 2, 2), y(ys, 2, 2);
    EXPECT(x.batch == 1);
    const std::vector<double> gx{-2, -1, 2, 1}, gy{-2, -4, 2, 4};
    EXPECT(near(goursat::signature(x, 2), {1, 2, 0.5, 1, 1, 2}));
    EXPECT(near(goursat::signature(x, 1, goursat::options().scalar_term().time_aug(3)), {1, 1, 2, 3}));
    EXPECT(near(goursat::signature(x, 2, goursat::options().direct()), {1, 2, 0.5, 1, 1, 2}));
    EXPECT(near(goursat::sig_backprop(std::vector<T>{1, 1, 1, 1, 1, 1}, x, 2), {-4, -4, 4, 4}));
    EXPECT(near(goursat::sigkernel(x, y), {4}));
    const auto both = goursat::sigkernel_backprop(std::vector<T>{1}, x, y);
    EXPECT(near(both.x, gx) && near(both.y, gy));
    const auto second = goursat::sigkernel_backprop(std::vector<T>{1}, x, y, {}, goursat::wrt::y);
    EXPECT(second.x.empty() && second.y == both.y);
    EXPECT(goursat::grid_shape(2, 2, goursat::options().dyadic_order(1, 2)) == std::make_pair(std::size_t(3), std::size_t(5)));
    EXPECT(near(goursat::sigkernel_grid(x, y), {1, 1, 1, 4}));
    EXPECT(near(goursat::sigkernel_grid_backprop(std::vector<T>{0, 0, 0, 1}, x, y).x, gx));
    EXPECT(near(goursat::sigkernel_gram(x, y), {4}));
    EXPECT(near(goursat::sigkernel_gram(x), {1 + 5 + 25. / 4}));
    EXPECT(near(goursat::sigkernel_gram_backprop(std::vector<T>{1}, x, y).y, gy));
    // d/dx of 1 + D + D^2/4 at D = <dx, dx> = 5: (1 + D/2) 2 dx
    EXPECT(near(goursat::sigkernel_gram_backprop(std::vector<T>{1}, x), {-7, -14, 7, 14}));
    EXPECT(near(goursat::time_augment(x), {0, 0, 0, 1, 2, 1}));
    EXPECT(near(goursat::time_augment_backprop(std::vector<T>{1, 2, 3, 4, 5, 6}, x), {1, 2, 4, 5}));
    EXPECT(near(goursat::lead_lag(x), {0, 0, 0, 0, 1, 2, 0, 0, 1, 2, 1, 2}));
    EXPECT(near(goursat::lead_lag(x, goursat::options().lag_first()), {0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 1, 2}));
    EXPECT(near(goursat::lead_lag_backprop(std::vector<T>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, x), {11, 14, 25, 28}));
}

static void layouts() {
    const std::vector<double> values{0, 1, 3, 6, 10};
    // Two ragged paths of one channel packed one after the other, then every other element backwards.
    const auto packed = goursat::options().lengths({2, 3}).starts({0, 2}).sizes(5);
    const goursat::paths<double> two(values.data(), 2, 3, 1);
    EXPECT(near(goursat::time_augment(two, packed), {0, 0, 1, 1, 0, 0, 3, 0, 6, 0.5, 10, 1}));
    EXPECT(near(goursat::time_augment_backprop(std::vector<double>{1, 0, 2, 0, 9, 0, 3, 0, 4, 0, 5, 0}, two, packed),
                {1, 2, 3, 4, 5}));
    const auto backwards = goursat::options().starts({4}).strides({0, -2, 1}).sizes(5);
    EXPECT(near(goursat::time_augment(goursat::paths<double>(values.data(), 1, 3, 1), backwards), {10, 0, 3, 0.5, 0, 1}));
}

static void errors() {
    const std::vector<double> values(6);
    const goursat::paths<double> x(values, 3, 2);
    try {
        goursat::signature(x, 0);
        EXPECT(!"thrown");
    } catch (const goursat::error &error) {
        EXPECT(error.status() == GOURSAT_INVALID_ARGUMENT);
        EXPECT(std::string(error.what()).find("degree") != std::string::npos);
    }
    try {
        goursat::paths<double>(values, 4, 2);
        EXPECT(!"thrown");
    } catch (const std::invalid_argument &) {
    }
}

// Long enough for a callback or two, whatever the machine: it is stopped at the first.
static void progress() {
    const std::vector<double> values(200 * 1000 * 4, 0.001);
    const goursat::paths<double> x(values, 1000, 4);
    int calls = 0;
    try {
        goursat::sigkernel_gram(x, x, goursat::options().dyadic_order(3).progress([&](std::uint64_t done, std::uint64_t total) {
            EXPECT(done <= total);
            ++calls;
            return true;
        }));
        EXPECT(!"thrown");
    } catch (const goursat::error &error) {
        EXPECT(error.status() == GOURSAT_CANCELLED && calls == 1);
    }
    try {
        goursat::sigkernel_gram(x, x, goursat::options().dyadic_order(3).progress([](std::uint64_t, std::uint64_t) -> bool {
            throw std::string("mine");
        }));
        EXPECT(!"thrown");
    } catch (const std::string &mine) {
        EXPECT(mine == "mine");
    }
}

// A device computes what the CPU does, or a call says what is missing; both name the same devices.
static void cuda() {
    const std::vector<double> values{0, 0, 1, 0, 1, 1};
    const goursat::paths<double> x(values, 3, 2);
    const bool there = goursat::cuda_available();
    std::size_t usable = 0;
    for (const goursat_cuda_device_info &device : goursat::cuda_devices()) {
        EXPECT(device.total_memory > 0 && device.name[0] != 0);
        usable += device.status == GOURSAT_OK;
    }
    EXPECT(there == (usable > 0));
    try {
        EXPECT(near(goursat::signature(x, 2, goursat::options().cuda()), goursat::signature(x, 2)));
        EXPECT(there);
    } catch (const goursat::error &error) {
        EXPECT(!there && error.status() >= GOURSAT_CUDA_NO_DRIVER && error.status() <= GOURSAT_CUDA_FORKED);
    }
    std::size_t bytes = 0;
    std::vector<double> out(6);
    try {
        goursat::signature(x, 2, out, goursat::options().cuda_memory().workspace_query(&bytes).workspace(nullptr, 0));
        EXPECT(!"host memory is no device's");
    } catch (const goursat::error &error) {
        EXPECT(error.status() != GOURSAT_OK && bytes == 0);
    }
}

int main() {
    EXPECT(goursat::version() == GOURSAT_VERSION);
    EXPECT(goursat::default_threads() >= 1 && !goursat::simd_level().empty());
    EXPECT(goursat::signature_length(2, 3) == 14);
    errors();
    layouts();
    values<double>();
    values<float>();
    progress();
    cuda();
}

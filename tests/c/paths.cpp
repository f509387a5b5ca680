// The C++ layer's ways to say where numbers are: contiguous ranges of every kind, results written in place, strided and
// ragged batches. Each is held to the same call of dense vectors. Compiled as C++17 and as C++20, where spans are.
#include "goursat.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numeric>
#if __cplusplus >= 202002L
#include <span>
#endif

#define EXPECT(condition)                                                                                             \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            std::cerr << "line " << __LINE__ << ": " #condition << std::endl;                                         \
            std::exit(1);                                                                                             \
        }                                                                                                             \
    } while (false)

template <class T>
using numbers = std::vector<T>;

// Paths that are neither straight nor alike.
template <class T>
static numbers<T> wiggle(std::size_t count, double from) {
    numbers<T> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = T(0.5 * std::sin(from + double(i * i)));
    }
    return values;
}

// What `call` throws, which must be an E; the text must name what is wrong.
template <class E, class Call>
static bool refuses(Call call, const char *word) {
    try {
        call();
    } catch (const E &thrown) {
        if (std::string(thrown.what()).find(word) != std::string::npos) {
            return true;
        }
        std::cerr << thrown.what() << std::endl;
    }
    return false;
}

// 2 paths of 3 points in 2 channels with 2 of 4 points: every function writes where it is told what it gives otherwise.
template <class T>
static void in_place() {
    const numbers<T> xs = wiggle<T>(12, 0), ys = wiggle<T>(16, 7);
    const goursat::paths<T> x(xs, 3, 2), y(ys, 4, 2);
    const auto with = goursat::options().dyadic_order(1).time_aug();
    const numbers<T> two{1, T(-0.5)}, four{1, 2, T(-0.5), 3};
    numbers<T> pair(2), gram(4), gx(12), gy(16), s(2 * goursat::signature_length(2, 3)), grid(2 * 5 * 7);

    goursat::signature(x, 3, s);
    EXPECT(s == goursat::signature(x, 3));
    goursat::sig_backprop(s, x, 3, gx);
    EXPECT(gx == goursat::sig_backprop(s, x, 3));
    goursat::sigkernel(x, y, pair, with);
    EXPECT(pair == goursat::sigkernel(x, y, with));
    auto both = goursat::sigkernel_backprop(two, x, y, with);
    goursat::sigkernel_backprop(two, x, y, gx, gy, with);
    EXPECT(gx == both.x && gy == both.y);
    numbers<T> alone(12);
    goursat::sigkernel_backprop(two, x, y, alone, nullptr, with);
    EXPECT(alone == both.x);
    goursat::sigkernel_grid(x, y, grid, with);
    EXPECT(grid == goursat::sigkernel_grid(x, y, with));
    both = goursat::sigkernel_grid_backprop(grid, x, y, with);
    goursat::sigkernel_grid_backprop(grid, x, y, gx, gy, with);
    EXPECT(gx == both.x && gy == both.y);
    goursat::sigkernel_gram(x, y, gram, with);
    EXPECT(gram == goursat::sigkernel_gram(x, y, with));
    both = goursat::sigkernel_gram_backprop(four, x, y, with);
    goursat::sigkernel_gram_backprop(four, x, y, gx, gy, with);
    EXPECT(gx == both.x && gy == both.y);
    goursat::sigkernel_gram(x, gram, with);
    EXPECT(gram == goursat::sigkernel_gram(x, with) && gram[1] == gram[2]);
    goursat::sigkernel_gram_backprop(four, x, gx, with);
    EXPECT(gx == goursat::sigkernel_gram_backprop(four, x, with));
    numbers<T> timed(18), leads(40);
    goursat::time_augment(x, timed);
    EXPECT(timed == goursat::time_augment(x));
    goursat::time_augment_backprop(timed, x, gx);
    EXPECT(gx == goursat::time_augment_backprop(timed, x));
    goursat::lead_lag(x, leads);
    EXPECT(leads == goursat::lead_lag(x));
    goursat::lead_lag_backprop(leads, x, gx);
    EXPECT(gx == goursat::lead_lag_backprop(leads, x));

    EXPECT(refuses<goursat::error>([&] { goursat::sigkernel(x, y, gram, with); }, "out_len"));
    EXPECT(refuses<goursat::error>([&] { goursat::sigkernel_backprop(two, x, y, nullptr, nullptr); }, "expected one"));
    EXPECT(refuses<goursat::error>([&] { goursat::sigkernel_backprop(four, x, y); }, "grad_len"));
}

// Whatever is contiguous is read and written where it is.
static void ranges() {
    const numbers<double> values = wiggle<double>(6, 0);
    const numbers<double> s = goursat::signature(goursat::paths(values, 3, 2), 2);
    std::array<double, 6> array{};
    double plain[6];
    std::copy(values.begin(), values.end(), array.begin());
    std::copy(values.begin(), values.end(), plain);
    EXPECT(goursat::signature(goursat::paths(array, 3, 2), 2) == s);
    EXPECT(goursat::signature(goursat::paths(plain, 3, 2), 2) == s);
    EXPECT(goursat::signature(goursat::paths<double>({plain, 6}, 3, 2), 2) == s);
    EXPECT(goursat::signature(goursat::paths<double>(plain, 1, 3, 2), 2) == s);
    std::array<double, 6> out{};
    goursat::signature(goursat::paths(values, 3, 2), 2, out);
    EXPECT(std::equal(s.begin(), s.end(), out.begin()));
    goursat::signature(goursat::paths(values, 3, 2), 2, {plain, 6});
    EXPECT(std::equal(s.begin(), s.end(), plain));
    EXPECT(goursat::sig_backprop({0, 1, 0, 0, 0, 0}, goursat::paths(values, 3, 2), 2) ==
           (numbers<double>{0, -1, 0, 0, 0, 1}));

    // What is const, what is of another precision, and what vanishes with the call cannot be written to.
    static_assert(std::is_convertible_v<numbers<double> &, goursat::view<double>>);
    static_assert(std::is_convertible_v<numbers<double>, goursat::view<const double>>);
    static_assert(!std::is_convertible_v<const numbers<double> &, goursat::view<double>>);
    static_assert(!std::is_convertible_v<numbers<double>, goursat::view<double>>);
    static_assert(!std::is_convertible_v<numbers<float> &, goursat::view<double>>);
    static_assert(!std::is_convertible_v<numbers<float> &, goursat::view<const double>>);

#if __cplusplus >= 202002L
    const std::span<const double> all(values);
    EXPECT(goursat::signature(goursat::paths(all, 3, 2), 2) == s);
    EXPECT(goursat::signature(goursat::paths(all.first(4), 2, 2), 2) ==
           goursat::signature(goursat::paths<double>(values.data(), 1, 2, 2), 2));
    EXPECT(goursat::signature(goursat::paths(std::span<double, 6>(array), 3, 2), 2) == s);
    numbers<double> longer(8, 9.0);
    goursat::signature(goursat::paths(all, 3, 2), 2, std::span(longer).subspan(1, 6));
    EXPECT(longer[0] == 9 && longer[7] == 9 && std::equal(s.begin(), s.end(), longer.begin() + 1));
    EXPECT(goursat::signature(goursat::strided(all, 1, 3, 2, {0, 2, 1}), 2) == s);
    EXPECT(goursat::signature(goursat::packed(all, 2, {3}), 2) == s);
    EXPECT(goursat::sig_backprop(std::span<const double>(s), goursat::paths(all, 3, 2), 2) ==
           goursat::sig_backprop(s, goursat::paths(all, 3, 2), 2));
    const numbers<double> second{values.begin(), values.begin() + 4};
    const std::array<std::span<const double>, 2> apart{all, second};
    EXPECT(goursat::signature(goursat::pack(apart, 2).view(), 2) ==
           goursat::signature(goursat::pack(std::vector<numbers<double>>{values, second}, 2).view(), 2));
    static_assert(std::is_convertible_v<std::span<double>, goursat::view<double>>);
    static_assert(!std::is_convertible_v<std::span<const double>, goursat::view<double>>);
#endif
}

// Points of `from` in another order or number, contiguous.
static numbers<double> points(const numbers<double> &from, std::initializer_list<std::size_t> which) {
    numbers<double> out;
    for (const std::size_t i : which) {
        out.insert(out.end(), {from[2 * i], from[2 * i + 1]});
    }
    return out;
}

static void strided() {
    const numbers<double> values = wiggle<double>(12, 0); // 6 points in 2 channels
    const auto kernel = [&](const goursat::paths<double> &x) { return goursat::sigkernel_gram(x); };
    const auto same = [&](const goursat::paths<double> &x, const numbers<double> &dense, std::size_t length) {
        const goursat::paths<double> wanted(dense, length, 2);
        const numbers<double> weights = wiggle<double>(x.batch * x.batch, 3);
        return kernel(x) == kernel(wanted) && goursat::sigkernel_gram_backprop(weights, x) ==
                                                  goursat::sigkernel_gram_backprop(weights, wanted);
    };
    // Column-major, as Eigen, Armadillo, R and Julia have matrices.
    numbers<double> columns(12);
    for (std::size_t i = 0; i < 12; ++i) {
        columns[(i % 2) * 6 + i / 2] = values[i];
    }
    EXPECT(same(goursat::strided(columns, 1, 6, 2, {0, 1, 6}), values, 6));
    // Windows of 3 points, every other point, one path used twice.
    EXPECT(same(goursat::strided(values, 4, 3, 2, {2, 2, 1}), points(values, {0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5}), 3));
    EXPECT(same(goursat::strided(values, 1, 3, 2, {0, 4, 1}), points(values, {0, 2, 4}), 3));
    EXPECT(same(goursat::strided(values, 2, 6, 2, {0, 2, 1}), points(values, {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}), 6));
    // Backwards from the last point, whose gradient runs forward from there.
    const auto back = goursat::strided(values, 1, 3, 2, {0, -4, 1}, {10});
    const numbers<double> turned = points(values, {5, 3, 1});
    EXPECT(kernel(back) == kernel(goursat::paths(turned, 3, 2)));
    const numbers<double> from_there = goursat::sigkernel_gram_backprop({1}, back);
    EXPECT(numbers<double>(from_there.begin() + 10, from_there.end()) ==
           goursat::sigkernel_gram_backprop({1}, goursat::paths(turned, 3, 2)));
    // One batch strided and the other not.
    const auto y = goursat::paths(values, 3, 2);
    EXPECT(goursat::sigkernel(goursat::strided(columns, 2, 3, 2, {3, 1, 6}), y) == goursat::sigkernel(y, y));
    EXPECT(goursat::sigkernel(y, goursat::strided(columns, 2, 3, 2, {3, 1, 6})) == goursat::sigkernel(y, y));

    const auto far = [&] { kernel(goursat::strided(values, 2, 6, 2, {2, 2, 1})); };
    EXPECT(refuses<goursat::error>(far, "of a buffer of 12"));
    const auto none = [&] { kernel(goursat::strided(numbers<double>(), 1, 6, 2, {2, 2, 1})); };
    EXPECT(refuses<std::invalid_argument>(none, "no numbers"));
}

static void ragged() {
    const numbers<double> a = wiggle<double>(4, 0), b = wiggle<double>(8, 1), c = wiggle<double>(2, 2);
    const auto three = goursat::pack(std::vector<numbers<double>>{a, b, c}, 2);
    const auto x = three.view();
    EXPECT(x.batch == 3 && x.length == 4 && x.lengths == (std::vector<std::int64_t>{2, 4, 1}));
    const numbers<double> weights = wiggle<double>(9, 3);
    const numbers<double> gram = goursat::sigkernel_gram(x), gradient = goursat::sigkernel_gram_backprop(weights, x);
    const std::array<const numbers<double> *, 3> each{&a, &b, &c};
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            const goursat::paths<double> one(each[i]->data(), 1, each[i]->size() / 2, 2);
            const goursat::paths<double> other(each[j]->data(), 1, each[j]->size() / 2, 2);
            EXPECT(gram[3 * i + j] == goursat::sigkernel(one, other)[0]);
        }
    }
    EXPECT(gradient.size() == 14 && gradient[12] == 0 && gradient[13] == 0); // one point moves nothing

    // The same with room for 4 points each, and with a gap between the second and the third.
    numbers<double> padded(24, std::nan("")), gap = three.values;
    std::copy(a.begin(), a.end(), padded.begin());
    std::copy(b.begin(), b.end(), padded.begin() + 8);
    std::copy(c.begin(), c.end(), padded.begin() + 16);
    gap.insert(gap.begin() + 12, 3, std::nan(""));
    const auto wide = goursat::ragged(padded, 4, 2, {2, 4, 1});
    EXPECT(goursat::sigkernel_gram(wide) == gram);
    const auto wide_gradient = goursat::sigkernel_gram_backprop(weights, wide);
    EXPECT(wide_gradient.size() == 24);
    EXPECT(std::equal(gradient.begin(), gradient.begin() + 4, wide_gradient.begin()));
    EXPECT(std::equal(gradient.begin() + 4, gradient.begin() + 12, wide_gradient.begin() + 8));
    goursat::layout lies(3, 4, 2);
    lies.lengths = {2, 4, 1};
    lies.starts = {0, 4, 15};
    EXPECT(goursat::sigkernel_gram(goursat::paths<double>(gap, lies)) == gram);
    EXPECT(goursat::sigkernel_gram_backprop(weights, goursat::paths<double>(gap, lies)).size() == 17);
    // As options, as C has it, which is read for each batch on its own.
    const goursat::paths<double> bare(three.values.data(), 3, 4, 2);
    const auto said = goursat::options().lengths({2, 4, 1}).starts({0, 4, 12}).sizes(14);
    EXPECT(goursat::sigkernel_gram(bare, said) == gram);
    EXPECT(goursat::sigkernel_gram(bare, x, said) == gram);
    EXPECT(goursat::sigkernel_gram_backprop(weights, bare, said) == gradient);

    const goursat::packed_paths<double> none{{}, {}, 2};
    EXPECT(goursat::sigkernel_gram(none.view()).empty() && goursat::sigkernel_gram_backprop({}, none.view()).empty());
    EXPECT(goursat::sigkernel_backprop({}, none.view(), none.view()).x.empty());

}

static void refused() {
    const numbers<double> values = wiggle<double>(14, 0);
    const goursat::paths<double> x = goursat::packed(values, 2, {2, 4, 1}), bare(values.data(), 3, 1, 2);
    const auto room = [&](std::vector<std::int64_t> lengths) { // of 3 points for each of 2 paths
        const numbers<double> twelve(values.begin(), values.begin() + 12);
        return [twelve, lengths] { goursat::sigkernel_gram(goursat::ragged(twelve, 3, 2, lengths)); };
    };
    const auto packed = [&](std::vector<std::int64_t> lengths, std::size_t channels) {
        return [&values, lengths, channels] { goursat::packed(values, channels, lengths); };
    };
    const auto said = goursat::options().lengths({2, 4, 1});
    using invalid = std::invalid_argument;
    EXPECT(refuses<invalid>([&] { goursat::sigkernel_gram(x, said); }, "in its paths and in the options"));
    EXPECT(refuses<invalid>([&] { goursat::sigkernel_gram(bare, goursat::options().starts({0, 4})); }, "2 entries"));
    EXPECT(refuses<invalid>(packed({2, 4}, 2), "there are 14"));
    EXPECT(refuses<invalid>(packed({2, 9}, 2), "a path of 9 points"));
    EXPECT(refuses<invalid>(packed({0, 7}, 2), "a path of 0 points"));
    EXPECT(refuses<invalid>(packed({-1}, 2), "a path of -1 points"));
    EXPECT(refuses<invalid>(packed({1}, 0), "in 0 channels"));
    EXPECT(refuses<invalid>([&] { goursat::pack(std::vector<numbers<double>>{{1, 2}, {1}}, 2); }, "path 1 has 1 num"));
    EXPECT(refuses<invalid>([&] { goursat::paths(values, 4, 2); }, "14 numbers"));
    EXPECT(refuses<invalid>([&] { goursat::sigkernel(x, goursat::paths(values, 7, 2)); }, "x has 3 paths and y 1"));
    EXPECT(refuses<invalid>([&] { goursat::sigkernel_gram(x, goursat::paths(values, 2, 1)); }, "x has 2 channels"));
    EXPECT(refuses<goursat::error>(room({2, 4}), "x_lengths[1] is 4"));
    EXPECT(refuses<goursat::error>(room({3, 3, 1}), "of a buffer of 12"));
}

int main() {
    in_place<double>();
    in_place<float>();
    ranges();
    strided();
    ragged();
    refused();
    EXPECT(goursat::version_number() == GOURSAT_VERSION_NUMBER);
    EXPECT(goursat::status_name(GOURSAT_OVERLAP) == "GOURSAT_OVERLAP");
}

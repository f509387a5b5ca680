// What a caller does around the signature kernels.
#pragma once
#include "plan.hpp"
#include "../../kernels/signature.cu"

template <class T> struct SignatureKernel {
    int degree; // 0: any
    void (*forth)(goursat::SignatureArgs<T>);
    void (*back)(goursat::SignatureArgs<T>);
    size_t forth_shared, back_shared;
    int state; // numbers of a thread, times degree + 1
};

template <class T> std::vector<SignatureKernel<T>> signature_kernels() {
    std::vector<SignatureKernel<T>> list;
#define SIGNATURE(TYPE, name, DEGREE, M)                                                                               \
    if constexpr (std::is_same_v<T, TYPE>) {                                                                           \
        list.push_back({std::string(#DEGREE) == "any" ? 0 : M + 1, signature_##name##_##DEGREE,                        \
                        signature_back_##name##_##DEGREE, size_t(goursat::SignatureForward<TYPE, M>::BYTES),           \
                        size_t(goursat::SignatureBackward<TYPE, M>::BYTES), goursat::Word<TYPE, M>::NUMBERS});         \
    }
#include "../../kernels/signature.list"
#undef SIGNATURE
    return list;
}

template <class T> struct SignatureCall {
    const Machine &m;
    const Paths &paths;
    const Asked &asked;
    int degree, scalar;
    bool lag_first;
    Increments<T> increments;
    int letters, pieces;
    long long size = 0;

    SignatureCall(const Machine &m, const Paths &paths, const Asked &asked, int degree, bool scalar, bool lag_first)
        : m(m), paths(paths), asked(asked), degree(degree), scalar(scalar), lag_first(lag_first), increments(m, paths, asked, 1),
          letters(paths.dim * (1 + asked.lead_lag) + asked.time),
          pieces(std::max(1, (most_of(paths.lengths) - 1 + goursat::PIECE - 1) / goursat::PIECE)) {
        long long power = 1;
        for (int k = 1; k <= degree; k++) size += power *= letters;
    }

    goursat::SignatureArgs<T> args() const {
        goursat::SignatureArgs<T> a{};
        a.increments = increments.values.data();
        a.counts = increments.counts.data();
        a.pitch = increments.pitch;
        a.paths = paths.count;
        a.dim = paths.dim;
        a.time = asked.time;
        a.lead_lag = asked.lead_lag;
        a.lag_first = lag_first;
        a.degree = degree;
        a.letters = letters;
        a.pieces = pieces;
        a.size = size;
        return a;
    }

    // The tree of pieces: level 0 as the kernel leaves it, each next one half as many; the last has room for level 0.
    struct Tree {
        std::vector<Device<T>> nodes;
        std::vector<int> slots;
        Device<T> out;
    };

    goursat::ChenArgs<T> join(const Tree &t, size_t level) const {
        const bool last = level + 1 == t.slots.size();
        goursat::ChenArgs<T> a{};
        a.counts = increments.counts.data();
        a.paths = paths.count, a.letters = letters, a.degree = degree, a.level = int(level), a.slots = t.slots[level];
        a.size = size;
        a.stride = last ? size + scalar : size;
        a.offset = last ? scalar : 0;
        a.pieces = t.nodes[level].data();
        a.joined = last ? t.out.data() : t.nodes[level + 1].data();
        return a;
    }

    Tree forth(const SignatureKernel<T> &kernel) const {
        Tree t;
        for (int slots = pieces;; slots = (slots + 1) / 2) {
            t.slots.push_back(slots);
            t.nodes.emplace_back(size_t(paths.count * slots * size));
            if (slots == 1 || (slots + 1) / 2 == 1) break;
        }
        t.out = Device<T>(size_t(paths.count * (size + scalar)));
        auto a = args();
        Device<T> state(size_t(kernel.state) * size_t(degree + 1) * m.blocks * m.warps * 32);
        a.state = state.data();
        a.out = t.nodes[0].data();
        m.run(kernel.forth, a, kernel.forth_shared);
        for (size_t level = 0; level < t.slots.size(); level++) {
            if constexpr (sizeof(T) == 4) m.run(chen_f32, join(t, level), 0);
            else m.run(chen_f64, join(t, level), 0);
        }
        return t;
    }

    std::vector<T> forward(const SignatureKernel<T> &kernel) const { return forth(kernel).out.host(); }

    std::vector<T> backward(const SignatureKernel<T> &kernel, const std::vector<double> &weights) const {
        const Tree t = forth(kernel);
        Device<T> given(std::vector<T>(weights.begin(), weights.end()));
        for (size_t level = t.slots.size(); level-- > 0;) {
            auto j = join(t, level);
            Device<T> next(size_t(paths.count * t.slots[level] * size));
            j.joined_weights = given.data();
            j.weights = next.data();
            if constexpr (sizeof(T) == 4) m.run(chen_back_f32, j, 0);
            else m.run(chen_back_f64, j, 0);
            given = std::move(next);
        }
        auto a = args();
        Device<T> state(size_t(kernel.state) * size_t(degree + 1) * m.blocks * m.warps * 32);
        a.state = state.data();
        a.weights = given.data();
        a.shares = 3;
        a.steps = std::max(1ll, (long long)(paths.length - 1) << asked.lead_lag);
        Device<T> partial(size_t(paths.count * a.shares * a.steps * letters));
        partial.zero();
        a.partial = partial.data();
        Device<T> checkpoints(size_t(m.blocks * m.warps * ((goursat::PIECE << asked.lead_lag) / goursat::KEPT + goursat::KEPT) * (degree - 1) * 32));
        a.checkpoints = checkpoints.data();
        m.run(kernel.back, a, kernel.back_shared);
        a.gradients_pitch = std::max(1, paths.length - 1);
        Device<T> gradients(size_t(paths.count * paths.dim * a.gradients_pitch));
        a.gradients = gradients.data();
        if constexpr (sizeof(T) == 4) m.run(signature_collect_f32, a, 0);
        else m.run(signature_collect_f64, a, 0);
        return scatter(gradients, a.gradients_pitch);
    }

    std::vector<T> scatter(const Device<T> &sums, long long pitch) const {
        const bool packed = !paths.starts.empty();
        size_t all = size_t(paths.count) * paths.length * paths.dim;
        if (packed) all = paths.count ? size_t(paths.starts.back() + paths.lengths.back() * paths.dim) : 0;
        Device<T> gradient(all);
        goursat::ScatterArgs<T> a{sums.data(), nullptr, gradient.data(), packed ? increments.starts.data() : nullptr,
                                  increments.lengths.data(), pitch, paths.count, paths.length, paths.dim};
        if constexpr (sizeof(T) == 4) m.run(scatter_f32, a, 0);
        else m.run(scatter_f64, a, 0);
        return gradient.host();
    }
};

// The library's own functions on a device, through the C ABI, against its functions on the CPU: every function, precision
// and way to give memory. On a real device as on the stand-in, build/cuda-tests/libcuda.so, where more can be seen.
#include "library_call.hpp"
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

static std::vector<Case> cases() {
    std::vector<Case> list;
    unsigned n = 0;
    const auto pairs = [&](int count, int lx, int others, int ly, int dim, Asked asked) {
        for (What what : {What::kernel, What::kernel_backprop, What::grid, What::grid_backprop, What::gram, What::gram_backprop}) {
            n++;
            const bool gram = what == What::gram || what == What::gram_backprop;
            Asked a = asked;
            a.gram = gram;
            a.symmetric = gram && n % 4 < 2 && asked.x_order == asked.y_order;
            list.push_back({what, Paths(count, lx, dim, Layout(n % 4), n), Paths(gram ? others : count, ly, dim, Layout(n / 2 % 4), n + 500), a});
            list.back().wrt = count && others ? 1 + int(n % 3) : 3;
        }
    };
    pairs(3, 1, 2, 5, 2, {});
    pairs(5, 12, 4, 9, 2, {});
    pairs(3, 34, 2, 33, 3, {0, 0, false, true, 2.5});
    pairs(4, 9, 3, 7, 3, {0, 0, true, true});
    pairs(2, 7, 3, 8, 8, {0, 0, true, false});
    pairs(3, 6, 2, 5, 4, {2, 1});
    pairs(2, 5, 3, 6, 12, {1, 1, false, true});
    pairs(2, 8, 3, 9, 40, {0, 1});
    pairs(2, 6, 2, 5, 20, {1, 1, true, true});
    pairs(2, 270, 1, 20, 2, {});
    // Tensor cores, where there are such.
    pairs(2, 70, 2, 9, 12, {});
    pairs(1, 67, 2, 40, 98, {0, 0, false, true});
    pairs(2, 36, 1, 6, 10, {1, 1});
    pairs(0, 5, 2, 5, 2, {});
    pairs(2, 5, 0, 5, 2, {});
    // Lists longer than a launch carries.
    for (What what : {What::kernel, What::kernel_backprop}) {
        list.push_back({what, Paths(1100, 3, 1, Layout::packed, 71), Paths(1100, 2, 1, Layout::ragged, 72), {}});
    }
    const auto words = [&](int count, int length, int dim, size_t degree, Asked asked) {
        for (What what : {What::signature, What::sig_backprop}) {
            n++;
            list.push_back({what, Paths(count, length, dim, Layout(n / 2 % 4), n), Paths(0, 1, 1, Layout::dense, 1), asked, degree});
            list.back().scalar = n % 3 == 0;
            list.back().lag_first = asked.lead_lag && n % 2;
        }
    };
    for (size_t degree = 1; degree <= 8; degree++) words(3, 9, 2, degree, {});
    words(4, 12, 3, 3, {0, 0, false, true, 3});
    words(2, 7, 3, 3, {0, 0, true, true});
    words(3, 8, 2, 4, {0, 0, true, false});
    words(2, 600, 2, 2, {});
    words(2, 3, 40, 2, {});
    words(0, 5, 2, 3, {});
    words(3, 1, 2, 3, {});
    words(1, 5000, 1, 2, {});
    for (What what : {What::time_augment, What::time_augment_backprop, What::lead_lag, What::lead_lag_backprop}) {
        for (int length : {1, 2, 70}) {
            for (int layout = 0; layout < 4; layout++) {
                list.push_back({what, Paths(length == 2 ? 0 : 3, length, 3, Layout(layout), n++), Paths(0, 1, 1, Layout::dense, 1), {0, 0, false, false, 2.5}});
                list.back().lag_first = what >= What::lead_lag && layout % 2;
            }
        }
    }
    return list;
}

static const Driver &driver() {
    static const Driver d;
    return d;
}

// What the library says that a status was for.
static std::string sentence() {
    char message[GOURSAT_MESSAGE_SIZE];
    goursat_last_error(message, sizeof message);
    return message;
}

static long failures = 0;
static void expect(bool well, const std::string &what) {
    if (well) return;
    failures++;
    if (failures < 20) std::fprintf(stderr, "WRONG %s\n", what.c_str());
}

enum class Way { own, given, copied };

// A device's context, as a caller has it.
static void *context(int device) {
    static void *contexts[2];
    if (!contexts[device]) {
        int handle = 0;
        driver().must("cuInit", 0u);
        driver().must("cuDeviceGet", &handle, device);
        driver().must("cuDevicePrimaryCtxRetain", &contexts[device], handle);
    }
    return contexts[device];
}

// How many devices there are: on one alone, what is to be done on the last is done there too.
static int device_count() {
    int count = 0;
    driver().must("cuInit", 0u);
    driver().must("cuDeviceGetCount", &count);
    return count;
}
static int last_device() { return std::min(2, device_count()) - 1; }

// Calls with the context of another device current, or with none, and expects that it is so afterwards.
template <class T> int32_t undisturbed(const Case &c, const Numbers<T> &n, const goursat_options &o, void *there) {
    void *mine = nullptr;
    driver().must("cuCtxPopCurrent_v2", &mine);
    if (there) driver().must("cuCtxPushCurrent_v2", there);
    const int32_t status = invoke(c, n, o);
    expect(driver().current() == there, c.name() + ": another context is current after it");
    if (there) driver().must("cuCtxPopCurrent_v2", &there);
    driver().must("cuCtxPushCurrent_v2", mine);
    return status;
}

template <class T> std::vector<T> on_device(const Case &c, int device, Way way, const std::string &what) {
    driver().must("cuCtxPushCurrent_v2", context(device));
    Host<T> host(c);
    goursat_options o = c.options();
    o.device = device;
    // Lists that are gone as soon as the call has returned.
    auto lists = std::make_unique<Case>(c);
    const auto place = [](const int64_t *&field, const std::vector<int64_t> &list) { field = field ? list.data() : nullptr; };
    place(o.x_lengths, lists->x.lengths), place(o.x_starts, lists->x.starts), place(o.y_lengths, lists->y.lengths), place(o.y_starts, lists->y.starts);
    void *const there = int(c.what) % 3 && last_device() ? context(1 - device) : nullptr;
    const long before = driver().pretends ? driver().standin("standin_allocations") : 0;
    if (way == Way::copied) {
        o.memory = GOURSAT_CUDA_COPY;
        must(undisturbed(c, host.numbers(), o, there), what.c_str());
    } else {
        OnDevice<T> data(driver(), host);
        void *stream = nullptr;
        driver().must("cuStreamCreate", &stream, 1u);
        o.memory = GOURSAT_CUDA;
        o.stream = stream;
        unsigned long long memory = 0;
        std::vector<char> guard(512, char(0x5a));
        size_t bytes = ~size_t(0);
        if (way == Way::given) {
            o.workspace_query = &bytes;
            must(undisturbed(c, data.n, o, there), what.c_str());
            o.workspace_query = nullptr;
            driver().must("cuMemAlloc_v2", &memory, bytes + guard.size());
            driver().must("cuMemcpyHtoD_v2", memory + bytes, static_cast<const void *>(guard.data()), guard.size());
            o.workspace = bytes ? reinterpret_cast<void *>(memory) : nullptr;
            o.workspace_size = bytes;
        }
        must(undisturbed(c, data.n, o, there), what.c_str());
        // Without memory in the order of streams, freeing it waits.
        const char *pools = std::getenv("STANDIN_POOLS");
        if (driver().pretends && c.x.count && !(pools && *pools == '0')) expect(driver().standin("standin_pending") > 0, what + ": it waited");
        for (auto *list : {&lists->x.lengths, &lists->x.starts, &lists->y.lengths, &lists->y.starts}) std::fill(list->begin(), list->end(), 1 << 20);
        lists.reset();
        driver().must("cuStreamSynchronize", stream);
        data.download(host);
        if (way == Way::given) {
            std::vector<char> now(guard.size());
            driver().must("cuMemcpyDtoH_v2", static_cast<void *>(now.data()), memory + bytes, now.size());
            expect(now == guard, what + ": wrote beyond its workspace");
            driver().must("cuMemFree_v2", memory);
        }
        driver().must("cuStreamDestroy_v2", stream);
    }
    if (driver().pretends) {
        expect(driver().standin("standin_allocations") == before, what + ": leaves memory behind");
        expect(driver().standin("standin_streams") == 0, what + ": leaves a stream behind");
    }
    void *mine = nullptr;
    driver().must("cuCtxPopCurrent_v2", &mine);
    return host.results(c);
}

template <class T> bool same_bits(const std::vector<T> &a, const std::vector<T> &b) {
    // NaN of any kind is NaN.
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](T p, T q) { return p == q || (std::isnan(p) && std::isnan(q)); });
}

static std::vector<double> on_cpu(const Case &c) {
    Host<double> host(c);
    must(invoke(c, host.numbers(), c.options()), "CPU");
    return host.results(c);
}

// What the library promises in f32, with the cancellation that weights of both signs bring; two orders of summation in f64.
template <class T> constexpr double bound() { return sizeof(T) == 4 ? 2e-5 : 2e-12; }

static long whole = 0, in_parts = 0; // launches
static long launches() { return driver().pretends ? driver().standin("standin_launches") : 0; }

template <class T> void check(const Case &c, Score &score) {
    const std::string what = c.name() + (sizeof(T) == 4 ? ", f32" : ", f64");
    const auto wanted = on_cpu(c);
    // The last device claims little memory, so that work is cut there.
    const long before = launches();
    const auto one = on_device<T>(c, 0, Way::own, what);
    const long between = launches();
    const auto cut = on_device<T>(c, last_device(), Way::given, what);
    whole += between - before, in_parts += launches() - between;
    score.compare(what, one, wanted, bound<T>());
    expect(same_bits(one, cut), what + ": bits depend on how the work is cut");
    expect(same_bits(one, on_device<T>(c, 0, Way::copied, what)), what + ": copies give other bits");
    expect(same_bits(one, on_device<T>(c, last_device(), Way::own, what)), what + ": a workspace of its own gives other bits");
}

// Path b of a batch as a batch of its own.
static Paths only(const Paths &p, int b) {
    Paths one(1, int(p.lengths[size_t(b)]), p.dim, Layout::dense, 1);
    for (int i = 0; i < one.length; i++) {
        for (int c = 0; c < p.dim; c++) one.data[size_t(i * p.dim + c)] = p.data[size_t(p.at(b, i, c))];
    }
    return one;
}

// Values and gradients of a ragged batch are those of each pair, to the bit: short ones beside long ones.
template <class T> void alone() {
    for (What what : {What::kernel, What::kernel_backprop, What::signature, What::sig_backprop}) {
        for (int dim : {2, 20}) {
            const bool words = what == What::signature || what == What::sig_backprop;
            Case all{what, Paths(6, words ? 290 : 300, dim, Layout::ragged, 91), Paths(6, 40, dim, Layout::ragged, 92), {}};
            for (int b = 1; b < 6; b++) all.x.lengths[size_t(b)] = 5 + 13 * b;
            const auto together = on_device<T>(all, 0, Way::own, all.name());
            const auto weights = weights_of(all);
            for (int b = 0; b < 6; b++) {
                const Case one{what, only(all.x, b), only(all.y, b), {}};
                const size_t each = one.count();
                driver().must("cuCtxPushCurrent_v2", context(0));
                {
                    Host<T> host(one);
                    if (one.back()) host.values.assign(weights.begin() + long(b * each), weights.begin() + long((b + 1) * each));
                    goursat_options o = one.options();
                    o.memory = GOURSAT_CUDA_COPY;
                    must(invoke(one, host.numbers(), o), "alone");
                    std::vector<T> expected(together.begin() + long(b * each), together.begin() + long((b + 1) * each)), got = host.values;
                    if (one.back()) {
                        const size_t size = size_t(one.x.length) * size_t(dim), start = size_t(b) * size_t(all.x.length) * size_t(dim);
                        expected.assign(together.begin() + long(start), together.begin() + long(start + size));
                        got = host.gradients[0];
                    }
                    expect(same_bits(got, expected), all.name() + ": other bits alone, path " + std::to_string(b));
                }
                void *mine = nullptr;
                driver().must("cuCtxPopCurrent_v2", &mine);
            }
        }
    }
}

// One of each function, in the same order in both precisions.
static std::vector<Case> one_of_each() {
    std::vector<Case> list;
    for (const Case &c : cases()) {
        const bool known = std::any_of(list.begin(), list.end(), [&](const Case &o) { return o.what == c.what; });
        if (!known && c.x.count > 1 && c.x.length > 1) list.push_back(c);
    }
    return list;
}

// The Nth call of the driver fails, for every N: a status, nothing left behind, the next call right.
static void injected(const Case &c, Way way, int status) {
    const std::string what = c.name() + ", a failing driver";
    for (long at = 1;; at++) {
        // The library comes first once, and does all that is done but once.
        if (at > 1 || way != Way::copied) driver().must("cuCtxPushCurrent_v2", context(0));
        Host<double> host(c);
        goursat_options o = c.options();
        o.memory = way == Way::copied ? GOURSAT_CUDA_COPY : GOURSAT_CUDA;
        const long before = driver().standin("standin_allocations");
        {
            std::unique_ptr<OnDevice<double>> data;
            if (way != Way::copied) data = std::make_unique<OnDevice<double>>(driver(), host);
            const Numbers<double> n = data ? data->n : host.numbers();
            void *const there = at > 1 || data ? context(0) : nullptr;
            driver().fail(at, status);
            const int32_t got = invoke(c, n, o);
            const bool struck = driver().standin("standin_calls") >= at;
            driver().fail(0, 0);
            expect(at == 1 || driver().current() == there, what + ": another context is current after it");
            if (struck && got != GOURSAT_OK) {
                expect(got == (status == 2 && got == GOURSAT_OUT_OF_MEMORY ? got : GOURSAT_CUDA_ERROR), what + ": status " + std::to_string(got));
                expect(sentence().find(got == GOURSAT_OUT_OF_MEMORY ? "memory" : "CUDA_ERROR_") != std::string::npos, what + ": says " + sentence());
            }
            if (!struck) expect(got == GOURSAT_OK && at > 5, what + ": " + sentence());
            if (!struck) at = -1;
        }
        if (at == 1 && way == Way::copied) driver().must("cuCtxPushCurrent_v2", context(0));
        driver().must("cuCtxSynchronize");
        expect(driver().standin("standin_allocations") == before, what + ": leaves memory behind");
        expect(driver().standin("standin_streams") == 0, what + ": leaves a stream behind");
        void *mine = nullptr;
        driver().must("cuCtxPopCurrent_v2", &mine);
        if (at < 0) break;
    }
    Score score;
    score.compare(what + ", the next call", on_device<double>(c, 0, Way::own, what), on_cpu(c), bound<double>());
    failures += score.wrong;
}

// Arguments that only device memory can have wrong.
static void refused() {
    driver().must("cuCtxPushCurrent_v2", context(0));
    const Case c = one_of_each()[1];
    Host<double> host(c);
    OnDevice<double> data(driver(), host);
    const auto fails = [&](const char *what, int32_t status, const char *word, std::function<void(Numbers<double> &, goursat_options &)> spoil) {
        Numbers<double> n = data.n;
        goursat_options o = c.options();
        o.memory = GOURSAT_CUDA;
        spoil(n, o);
        const int32_t got = invoke(c, n, o);
        expect(got == status && sentence().find(word) != std::string::npos, std::string(what) + ": " + std::to_string(got) + ", " + sentence());
        expect(!driver().pretends || driver().standin("standin_pending") == 0, std::string(what) + ": something was launched");
    };
    const auto here = [&] { return reinterpret_cast<char *>(data.upload(std::vector<double>(64))); };
    fails("host memory", GOURSAT_INVALID_ARGUMENT, "x is ", [&](auto &n, auto &) { n.x = host.x.data(); });
    fails("host memory for results", GOURSAT_INVALID_ARGUMENT, "_grad", [&](auto &n, auto &) { n.gradients[0] = n.gradients[0] ? host.gradients[0].data() : nullptr, n.gradients[1] = n.gradients[1] ? host.gradients[1].data() : nullptr; });
    if (last_device()) fails("another device's memory", GOURSAT_INVALID_ARGUMENT, "device 0", [&](auto &, auto &o) { o.device = 1; });
    fails("no such device", GOURSAT_INVALID_ARGUMENT, "device is 99", [&](auto &, auto &o) { o.device = 99; });
    fails("a device below 0", GOURSAT_INVALID_ARGUMENT, "device is -1", [&](auto &, auto &o) { o.device = -1; });
    fails("a crooked workspace", GOURSAT_MISALIGNED, "workspace", [&](auto &, auto &o) { o.workspace = here() + 8, o.workspace_size = 8; });
    fails("a small workspace", GOURSAT_INVALID_ARGUMENT, "workspace_size is 512", [&](auto &, auto &o) { o.workspace = here(), o.workspace_size = 512; });
    fails("a workspace of the host's", GOURSAT_INVALID_ARGUMENT, "workspace", [&](auto &, auto &o) {
        static double mine alignas(256)[64];
        o.workspace = mine, o.workspace_size = 512;
    });
    fails("a workspace over the input", GOURSAT_OVERLAP, "x overlaps", [&](auto &n, auto &o) {
        n.x = reinterpret_cast<double *>(here());
        o.workspace = const_cast<double *>(n.x), o.workspace_size = 512;
    });
    fails("NULL", GOURSAT_NULL_POINTER, "grad", [&](auto &n, auto &) { n.values = nullptr; });
    fails("misaligned", GOURSAT_MISALIGNED, "x is", [&](auto &n, auto &) { n.x = reinterpret_cast<double *>(reinterpret_cast<char *>(const_cast<double *>(n.x)) + 4); });
    fails("copies with a stream", GOURSAT_INVALID_ARGUMENT, "stream", [&](auto &, auto &o) { o.memory = GOURSAT_CUDA_COPY, o.stream = &o; });
    fails("copies with a workspace", GOURSAT_INVALID_ARGUMENT, "workspace", [&](auto &, auto &o) { o.memory = GOURSAT_CUDA_COPY, o.workspace = here(), o.workspace_size = 512; });
    void *mine = nullptr;
    driver().must("cuCtxPopCurrent_v2", &mine);
}

// A child may ask, and is told.
static void forked() {
    const Case c = one_of_each()[0];
    const pid_t child = fork();
    if (!child) {
        alarm(60);
        Host<double> host(c);
        goursat_options o = c.options();
        o.memory = GOURSAT_CUDA_COPY;
        int32_t count = -1;
        const long before = driver().pretends ? driver().standin("standin_calls") : 0;
        bool well = invoke(c, host.numbers(), o) == GOURSAT_CUDA_FORKED && sentence().find("fork") != std::string::npos;
        well = well && goursat_cuda_available() == GOURSAT_CUDA_FORKED && goursat_cuda_device_count(&count) == GOURSAT_CUDA_FORKED && count == 0;
        if (driver().pretends) well = well && driver().standin("standin_calls") == before; // the driver is left alone
        o.memory = GOURSAT_HOST;
        well = well && invoke(c, host.numbers(), o) == GOURSAT_OK; // the CPU works on
        _exit(well ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child of a fork");
}

static void from_many_threads() {
    const auto list = one_of_each();
    std::vector<std::thread> threads;
    std::vector<std::vector<double>> results(8);
    for (size_t i = 0; i < results.size(); i++) {
        threads.emplace_back([&, i] {
            const Case &c = list[i];
            Host<double> host(c);
            goursat_options o = c.options();
            o.memory = GOURSAT_CUDA_COPY;
            o.device = int(i) % (last_device() + 1);
            if (invoke(c, host.numbers(), o) == GOURSAT_OK) results[i] = host.results(c);
        });
    }
    for (auto &t : threads) t.join();
    Score score;
    for (size_t i = 0; i < results.size(); i++) score.compare(list[i].name() + ", a thread", results[i], on_cpu(list[i]), bound<double>());
    failures += score.wrong;
}

static void devices() {
    int32_t count = 0;
    must(goursat_cuda_available(), "available");
    must(goursat_cuda_device_count(&count), "count");
    for (int32_t i = 0; i < count; i++) {
        goursat_cuda_device_info info{};
        info.size = sizeof info;
        must(goursat_cuda_device(i, &info), "device");
        std::printf("device %d: %s, sm_%d%d, CUDA %d, %d multiprocessors, %zu bytes\n", i, info.name, info.capability_major, info.capability_minor,
                    info.driver_version, info.multiprocessors, info.total_memory);
    }
    goursat_cuda_device_info info{};
    info.size = sizeof info;
    expect(goursat_cuda_device(count, &info) == GOURSAT_INVALID_ARGUMENT, "a device too many");
}

// library f32|f64|manners
int main(int argc, char **argv) {
    const std::string which = argc > 1 ? argv[1] : "";
    Score score;
    setenv("STANDIN_CLAIMED", "20000", 0);
    if (which == "manners") {
        if (driver().pretends) {
            const auto list = one_of_each();
            for (const Case &c : list) {
                injected(c, Way::copied, 2);
                injected(c, Way::own, 700);
            }
        }
        devices();
        refused();
        forked();
        from_many_threads();
        std::printf("the library's manners on a device: %ld wrong\n", failures);
        return failures != 0;
    }
    for (const Case &c : cases()) {
        if (which == "f32") check<float>(c, score);
        else if (which == "f64") check<double>(c, score);
    }
    if (which == "f32") alone<float>();
    else alone<double>();
    expect(!driver().pretends || !last_device() || in_parts > 5 * whole / 4, "work is not cut where memory is small");
    std::printf("launches: %ld, and %ld where memory is small\n", whole, in_parts);
    std::printf("the library on a device, %s: %ld compared, %ld wrong, worst %.3g\n", which.c_str(), score.compared, score.wrong + failures, score.worst);
    return score.wrong + failures != 0 || !score.compared;
}

// A shared library in the place of libcuda, for the tests of what calls the driver: memory is the host's, and a launch
// runs the kernel of that name through the shim. It checks what a real driver would: that there is such a kernel, that it
// gets the shared memory that it uses, and not more threads than it was compiled for.
#include "shim.hpp"
#include "../../kernels/increments.cu"
#include "../../kernels/sigkernel_forward.cu"
#include "../../kernels/sigkernel_backward.cu"
#include "../../kernels/signature.cu"

#include <chrono>
#include <map>
#include <string>

namespace {

struct Entry {
    std::function<void(const void *)> run;
    size_t shared_a_warp;
};
using Kernels = std::map<std::string, Entry>;

template <class Args> Entry entry(void (*kernel)(Args), size_t shared) {
    return {[kernel](const void *args) { kernel(*static_cast<const Args *>(args)); }, shared};
}

Kernels make_kernels() {
    Kernels k;
#define ADD(name, shared) k[#name] = entry(name, shared)
#define FORWARD(name, T, D, R, S, LL, GRID) ADD(name, (goursat::Forward<T, D, R, S, LL, GRID>::BYTES));
#define BACKWARD(name, T, D, R, S, LL, GRID) ADD(name, (goursat::Backward<T, D, R, S, LL, GRID>::BYTES));
#define SIGNATURE(T, name, degree, M)                                                                                  \
    ADD(signature_##name##_##degree, (goursat::SignatureForward<T, M>::BYTES));                                        \
    ADD(signature_back_##name##_##degree, (goursat::SignatureBackward<T, M>::BYTES));
#include "../../kernels/sigkernel_forward.list"
#include "../../kernels/sigkernel_backward.list"
#include "../../kernels/signature.list"
#define BOTH(name) ADD(name##_f32, 0), ADD(name##_f64, 0)
    BOTH(increments), BOTH(gather), BOTH(scatter), BOTH(sigkernel_frame), BOTH(chen), BOTH(chen_back), BOTH(signature_collect);
    return k;
}

Kernels &kernels() {
    static Kernels k = make_kernels();
    return k;
}

constexpr int INVALID_VALUE = 1, NOT_FOUND = 500;
double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

} // namespace

extern "C" {
using Address = unsigned long long;
using Handle = void *;

int cuInit(unsigned) { return 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int ordinal) { return ordinal ? INVALID_VALUE : (*device = 0, 0); }
int cuDevicePrimaryCtxRetain(Handle *context, int) { return *context = &kernels(), 0; }
int cuCtxSetCurrent(Handle) { return 0; }
int cuCtxSynchronize() { return 0; }
int cuDeviceGetName(char *name, int length, int) { return std::snprintf(name, size_t(length), "a CPU"), 0; }
int cuDeviceGetAttribute(int *value, int which, int) {
    switch (which) { // of a small device
    case 13: return *value = 1000000, 0; // kHz
    case 16: return *value = 1, 0;       // multiprocessors
    case 75: return *value = 7, 0;       // compute capability
    case 76: return *value = 5, 0;
    case 97: return *value = 65536, 0;   // bytes of shared memory of a block
    default: return INVALID_VALUE;
    }
}
int cuMemAlloc_v2(Address *address, size_t bytes) {
    void *p = std::malloc(bytes);
    std::memset(p, 0xff, bytes);
    return *address = Address(p), 0;
}
int cuMemFree_v2(Address address) { return std::free(reinterpret_cast<void *>(address)), 0; }
int cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) { return std::memcpy(reinterpret_cast<void *>(to), from, bytes), 0; }
int cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) { return std::memcpy(to, reinterpret_cast<void *>(from), bytes), 0; }
int cuMemsetD8_v2(Address to, unsigned char value, size_t bytes) { return std::memset(reinterpret_cast<void *>(to), value, bytes), 0; }
int cuModuleLoadData(Handle *module, const void *) { return *module = &kernels(), 0; }
int cuModuleGetFunction(Handle *function, Handle, const char *name) {
    const auto found = kernels().find(name);
    if (found == kernels().end()) return NOT_FOUND;
    return *function = &found->second, 0;
}
int cuFuncSetAttribute(Handle, int, int bytes) { return bytes > 65536 ? INVALID_VALUE : 0; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, Handle, int, size_t) { return *count = 2, 0; }
int cuLaunchKernel(Handle function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned shared, Handle, void **args, void **) {
    const Entry &e = *static_cast<Entry *>(function);
    if (!blocks || threads > 128 || threads % 32 || shared < e.shared_a_warp * (threads / 32)) return INVALID_VALUE;
    shim::launch(blocks, threads, shared, [&] { e.run(args[0]); }, {shim::Order::forward, blocks});
    return 0;
}
int cuEventCreate(Handle *event, unsigned) { return *event = new double(0), 0; }
int cuEventRecord(Handle event, Handle) { return *static_cast<double *>(event) = now(), 0; }
int cuEventSynchronize(Handle) { return 0; }
int cuEventElapsedTime(float *milliseconds, Handle a, Handle b) {
    return *milliseconds = float(*static_cast<double *>(b) - *static_cast<double *>(a)), 0;
}
}

// A shared library in the place of libcuda, for the tests of what calls the driver: memory is the host's, and a launch
// runs the kernel of that name through the shim. It checks what a real driver would: that a context is current, that
// there is such a kernel in the PTX, that it gets the shared memory that it uses, and not more threads than it was
// compiled for. standin_ functions are for tests.
#include "standin.hpp"
#include "../../kernels/increments.cu"
#include "../../kernels/sigkernel_forward.cu"
#include "../../kernels/sigkernel_tensor.cu"
#include "../../kernels/sigkernel_backward.cu"
#include "../../kernels/signature.cu"
#include "../../kernels/transforms.cu"

#include <chrono>

using namespace standin;

namespace {

struct Entry {
    std::function<void(const void *)> run;
    size_t shared_a_warp, arguments;
};
using Kernels = std::map<std::string, Entry>;

template <class Args> Entry entry(void (*kernel)(Args), size_t shared) {
    return {[kernel](const void *args) { kernel(*static_cast<const Args *>(args)); }, shared, sizeof(Args)};
}

Kernels make_kernels() {
    Kernels k;
#define ADD(name, shared) k[#name] = entry(name, shared)
#define FORWARD(name, T, D, R, S, LL, GRID) ADD(name, (goursat::Forward<T, D, R, S, LL, GRID>::BYTES));
#define TENSOR(name, T, MORE_THAN, R, S, LL, GRID) FORWARD(name, T, goursat::TENSOR_CORES, R, S, LL, GRID)
#define BACKWARD(name, T, D, R, S, LL, GRID) ADD(name, (goursat::Backward<T, D, R, S, LL, GRID>::BYTES));
#define SIGNATURE(T, name, degree, M)                                                                                  \
    ADD(signature_##name##_##degree, (goursat::SignatureForward<T, M>::BYTES));                                        \
    ADD(signature_back_##name##_##degree, (goursat::SignatureBackward<T, M>::BYTES));
#include "../../kernels/sigkernel_forward.list"
#include "../../kernels/sigkernel_tensor.list"
#include "../../kernels/sigkernel_backward.list"
#include "../../kernels/signature.list"
#define BOTH(name) ADD(name##_f32, 0), ADD(name##_f64, 0)
    BOTH(increments), BOTH(gather), BOTH(scatter), BOTH(sigkernel_frame), BOTH(chen), BOTH(chen_back), BOTH(signature_collect);
    BOTH(transform), BOTH(transform_back);
    ADD(list, 0);
    return k;
}

const Kernels &kernels() {
    static const Kernels k = make_kernels();
    return k;
}

constexpr long SHARED_A_BLOCK = 65536;
double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

using Address = unsigned long long;
using Handle = void *;

char *at(Address a) { return reinterpret_cast<char *>(a); }

// What every function does first: it is counted, may be told to fail, and knows that it is the child of a fork.
int enter(bool initialised = true) {
    State &s = state();
    if (const int status = counted()) return status;
    if (s.process && s.process != getpid()) return NOT_INITIALIZED;
    return initialised && !s.process ? NOT_INITIALIZED : OK;
}
#define ENTER(...)                                                                                                     \
    const std::lock_guard<std::recursive_mutex> lock(state().mutex);                                                   \
    if (const int status = enter(__VA_ARGS__)) return status
#define ENTER_CONTEXT                                                                                                  \
    ENTER();                                                                                                           \
    if (!current()) return INVALID_CONTEXT
// Of functions that undo something: it is undone whatever they return.
#define ENTER_UNDO                                                                                                     \
    const std::lock_guard<std::recursive_mutex> lock(state().mutex);                                                   \
    const int undo = enter();                                                                                          \
    if (undo == NOT_INITIALIZED) return undo

bool knows(Handle stream) {
    Stream *s = static_cast<Stream *>(stream);
    return !s || (state().streams.count(s) && s->context == current());
}
template <class F> int enqueue(Handle stream, F work) {
    if (!knows(stream)) return INVALID_HANDLE;
    state().queue.emplace_back(work);
    return OK;
}
bool inside(Address to, size_t bytes) {
    const Allocation *a = find(to);
    return a && to + bytes <= Address(a->memory.data()) + a->bytes;
}

} // namespace

extern "C" {
// Of the tests.
void standin_fail(long at, int status) { state().failing = {0, at, status}; }
long standin_calls() { return state().failing.calls; }
long standin_allocations() { return long(state().memory.size()); }
long standin_streams() { return long(state().streams.size()); }
long standin_launches() { return state().launches; }
long standin_pending() { return long(state().queue.size()); }

int cuInit(unsigned) {
    ENTER(false);
    if (!state().settings.devices) return NO_DEVICE;
    state().process = getpid();
    return OK;
}
int cuDriverGetVersion(int *version) {
    ENTER(false);
    return *version = int(state().settings.version), OK;
}
int cuGetErrorName(int status, const char **text) {
    static const std::map<int, const char *> names{
        {OK, "CUDA_SUCCESS"}, {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"}, {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"}, {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"}, {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
        {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"}, {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
    const auto found = names.find(status);
    return found == names.end() ? INVALID_VALUE : (*text = found->second, OK);
}
int cuGetErrorString(int, const char **text) { return *text = "so says the stand-in", OK; }

int cuDeviceGetCount(int *count) {
    ENTER();
    return *count = int(state().settings.devices), OK;
}
int cuDeviceGet(int *device, int ordinal) {
    ENTER();
    return ordinal < 0 || ordinal >= state().settings.devices ? INVALID_VALUE : (*device = ordinal, OK);
}
int cuDeviceGetName(char *name, int length, int device) {
    ENTER();
    return std::snprintf(name, size_t(length), "a CPU, number %d", device), OK;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    ENTER();
    const Settings &s = state().settings;
    return *bytes = size_t(device == s.devices - 1 ? s.claimed : s.memory), OK;
}
int cuDeviceGetAttribute(int *value, int which, int) {
    ENTER();
    switch (which) { // of a small device
    case 13: return *value = 1000000, OK; // kHz
    case 16: return *value = 2, OK;       // multiprocessors
    case 75: return *value = int(state().settings.capability / 10), OK;
    case 76: return *value = int(state().settings.capability % 10), OK;
    case 88: return *value = 0, OK;       // reads pageable memory
    case 97: return *value = SHARED_A_BLOCK, OK;
    case 115: return *value = int(state().settings.pools), OK;
    default: return INVALID_VALUE;
    }
}

int cuDevicePrimaryCtxRetain(Handle *context, int device) {
    ENTER();
    Context &c = state().contexts[device];
    c.device = device;
    c.retained++;
    return *context = &c, OK;
}
int cuCtxSetCurrent(Handle context) {
    ENTER();
    if (!stack().empty()) stack().pop_back();
    if (context) stack().push_back(static_cast<Context *>(context));
    return OK;
}
int cuCtxGetCurrent(Handle *context) {
    ENTER();
    return *context = current(), OK;
}
int cuCtxPushCurrent_v2(Handle context) {
    ENTER();
    return stack().push_back(static_cast<Context *>(context)), OK;
}
int cuCtxPopCurrent_v2(Handle *context) {
    ENTER_UNDO;
    if (stack().empty()) return INVALID_CONTEXT;
    *context = current();
    return stack().pop_back(), undo;
}
int cuCtxSynchronize() {
    ENTER_CONTEXT;
    return state().flush(), OK;
}

int cuStreamCreate(Handle *stream, unsigned) {
    ENTER_CONTEXT;
    Stream *s = new Stream{current()};
    state().streams.insert(s);
    return *stream = s, OK;
}
int cuStreamSynchronize(Handle stream) {
    ENTER_UNDO;
    if (!current()) return INVALID_CONTEXT;
    if (!knows(stream)) return INVALID_HANDLE;
    return state().flush(), undo;
}
int cuStreamDestroy_v2(Handle stream) {
    ENTER_UNDO;
    if (!stream || !knows(stream)) return INVALID_HANDLE;
    state().flush();
    state().streams.erase(static_cast<Stream *>(stream));
    delete static_cast<Stream *>(stream);
    return undo;
}

int cuMemAlloc_v2(Address *address, size_t bytes) {
    ENTER_CONTEXT;
    return allocate(address, bytes, false);
}
int cuMemFree_v2(Address address) {
    ENTER_UNDO;
    state().flush();
    const int status = release(address, false);
    return status ? status : undo;
}
int cuMemAllocAsync(Address *address, size_t bytes, Handle stream) {
    ENTER_CONTEXT;
    if (!knows(stream)) return INVALID_HANDLE;
    return allocate(address, bytes, true);
}
int cuMemFreeAsync(Address address, Handle stream) {
    ENTER_UNDO;
    const int status = enqueue(stream, [=] {
        if (release(address, true)) std::abort();
    });
    return status ? status : undo;
}
int cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
    ENTER_CONTEXT;
    state().flush();
    return std::memcpy(at(to), from, bytes), OK;
}
int cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
    ENTER_CONTEXT;
    state().flush();
    return std::memcpy(to, at(from), bytes), OK;
}
// From memory that is not pinned: what is copied has left it when the call returns.
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, Handle stream) {
    ENTER_CONTEXT;
    if (!inside(to, bytes)) return INVALID_VALUE;
    std::vector<char> staged(static_cast<const char *>(from), static_cast<const char *>(from) + bytes);
    return enqueue(stream, [=] { std::memcpy(at(to), staged.data(), bytes); });
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Handle stream) {
    ENTER_CONTEXT;
    if (!inside(from, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { std::memcpy(to, at(from), bytes); });
}
int cuMemsetD8_v2(Address to, unsigned char value, size_t bytes) {
    ENTER_CONTEXT;
    state().flush();
    return std::memset(at(to), value, bytes), OK;
}
int cuMemsetD8Async(Address to, unsigned char value, size_t bytes, Handle stream) {
    ENTER_CONTEXT;
    if (!inside(to, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { std::memset(at(to), value, bytes); });
}
int cuPointerGetAttribute(void *value, int which, Address address) {
    ENTER();
    const Allocation *a = find(address);
    if (!a) return INVALID_VALUE;
    switch (which) {
    case 2: return *static_cast<unsigned *>(value) = 2, OK;                    // in device memory
    case 8: return *static_cast<char *>(value) = 0, OK;                        // managed
    case 9: return *static_cast<unsigned *>(value) = unsigned(a->device), OK;
    default: return INVALID_VALUE;
    }
}

int cuModuleLoadData(Handle *module, const void *text) {
    ENTER_CONTEXT;
    const std::string ptx = static_cast<const char *>(text);
    const std::string head = ".version 8.0\n.target sm_";
    if (ptx.find(head) != 0 || std::atol(ptx.c_str() + head.size()) > state().settings.capability) return INVALID_VALUE;
    return *module = new Module{current(), ptx}, OK;
}
int cuModuleUnload(Handle module) {
    ENTER_UNDO;
    return delete static_cast<Module *>(module), undo;
}
int cuModuleGetFunction(Handle *function, Handle module, const char *name) {
    ENTER_CONTEXT;
    const Module *m = static_cast<Module *>(module);
    const auto found = kernels().find(name);
    const std::string entry = ".visible .entry " + std::string(name) + "(";
    const size_t where = m->text.find(entry);
    if (found == kernels().end() || where == std::string::npos) return NOT_FOUND;
    const size_t size = m->text.find('[', where);
    if (std::strtoul(m->text.c_str() + size + 1, nullptr, 10) != found->second.arguments) return INVALID_VALUE;
    return *function = new Function{m, name}, OK;
}
int cuFuncSetAttribute(Handle function, int which, int bytes) {
    ENTER_CONTEXT;
    if (which != 8 || bytes > SHARED_A_BLOCK) return INVALID_VALUE;
    return static_cast<Function *>(function)->allowed = size_t(bytes), OK;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, Handle, int, size_t) {
    ENTER_CONTEXT;
    return *count = 1, OK;
}
int cuLaunchKernel(Handle function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned shared, Handle stream, void **args, void **) {
    ENTER_CONTEXT;
    const Function &f = *static_cast<Function *>(function);
    const Entry &e = kernels().at(f.name);
    if (f.module->context != current()) return INVALID_HANDLE;
    if (!blocks || threads > 128 || threads % 32 || shared < e.shared_a_warp * (threads / 32) || shared > f.allowed) return INVALID_VALUE;
    const char *bytes = static_cast<const char *>(args[0]);
    state().launches++;
    std::vector<char> copy(bytes, bytes + e.arguments);
    return enqueue(stream, [=, &e] {
        shim::launch(blocks, threads, shared, [&] { e.run(copy.data()); }, {shim::Order::forward, blocks});
    });
}

int cuEventCreate(Handle *event, unsigned) { return *event = new double(0), OK; }
int cuEventRecord(Handle event, Handle stream) {
    ENTER_CONTEXT;
    return enqueue(stream, [=] { *static_cast<double *>(event) = now(); });
}
int cuEventSynchronize(Handle) {
    ENTER_CONTEXT;
    return state().flush(), OK;
}
int cuEventElapsedTime(float *milliseconds, Handle a, Handle b) {
    return *milliseconds = float(*static_cast<double *>(b) - *static_cast<double *>(a)), OK;
}
}

/* Libraries in the place of libcuda that a driver of today is not: tests/cuda.rs compiles it whole, or without most
 * functions (LACKING), and says by the environment how it answers. */
#ifdef EMPTY
int nothing;
#else
#include <stdlib.h>
#include <string.h>

static int setting(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
}

int cuInit(unsigned flags) { return (void)flags, setting("STUB_INIT", 0); }
int cuDriverGetVersion(int *version) { return *version = setting("STUB_VERSION", 12040), 0; }
int cuGetErrorName(int status, const char **text) { return (void)status, *text = "CUDA_ERROR_OF_A_STUB", 0; }
int cuGetErrorString(int status, const char **text) { return (void)status, *text = "as the stub was told", 0; }

#ifndef LACKING
int cuDeviceGetCount(int *count) { return *count = setting("STUB_COUNT", 1), 0; }
int cuDeviceGet(int *device, int index) { return *device = index, 0; }
int cuDeviceGetName(char *name, int length, int device) { return (void)device, strncpy(name, "a stub", (size_t)length), 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { return (void)device, *bytes = 1 << 30, 0; }
int cuDeviceGetAttribute(int *value, int which, int device) {
    const int capability = setting("STUB_CAPABILITY", 90);
    return (void)device, *value = which == 75 ? capability / 10 : which == 76 ? capability % 10 : 1, 0;
}
/* The others are there, and are not to be called. */
#define NEVER(name) int name(void) { abort(); }
NEVER(cuCtxPopCurrent_v2) NEVER(cuCtxPushCurrent_v2) NEVER(cuFuncSetAttribute)
NEVER(cuLaunchKernel) NEVER(cuMemAllocAsync) NEVER(cuMemAlloc_v2) NEVER(cuMemFreeAsync) NEVER(cuMemFree_v2)
NEVER(cuMemcpyDtoHAsync_v2) NEVER(cuMemcpyHtoDAsync_v2) NEVER(cuMemsetD8Async) NEVER(cuModuleGetFunction)
NEVER(cuModuleLoadData) NEVER(cuModuleUnload) NEVER(cuOccupancyMaxActiveBlocksPerMultiprocessor)
NEVER(cuPointerGetAttribute) NEVER(cuStreamCreate) NEVER(cuStreamDestroy_v2) NEVER(cuStreamSynchronize)
int cuDevicePrimaryCtxRetain(void **context, int device) { return (void)device, *context = 0, 999; }
#endif
#endif

"""The C interface: each function and type of ``goursat.h``, declared once."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from . import _library

#: ``int (*)(void *data, uint64_t done, uint64_t total)``
Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64)


class Options(ctypes.Structure):
    """``goursat_options``: zeros after ``size`` mean the defaults."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("flags", ctypes.c_uint64),
        ("end_time", ctypes.c_double),
        ("x_order", ctypes.c_uint32),
        ("y_order", ctypes.c_uint32),
        ("threads", ctypes.c_int32),
        ("memory", ctypes.c_int32),
        ("device", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
        ("stream", ctypes.c_void_p),
        ("workspace", ctypes.c_void_p),
        ("workspace_size", ctypes.c_size_t),
        ("x_lengths", ctypes.c_void_p),
        ("y_lengths", ctypes.c_void_p),
        ("x_starts", ctypes.c_void_p),
        ("y_starts", ctypes.c_void_p),
        ("x_strides", ctypes.c_int64 * 3),
        ("y_strides", ctypes.c_int64 * 3),
        ("x_size", ctypes.c_size_t),
        ("y_size", ctypes.c_size_t),
        ("progress", Progress),
        ("progress_data", ctypes.c_void_p),
        ("workspace_query", ctypes.c_void_p),
    ]


class CudaDeviceInfo(ctypes.Structure):
    """``goursat_cuda_device_info``."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("total_memory", ctypes.c_size_t),
        ("capability_major", ctypes.c_int32),
        ("capability_minor", ctypes.c_int32),
        ("driver_version", ctypes.c_int32),
        ("multiprocessors", ctypes.c_int32),
        ("status", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
        ("name", ctypes.c_char * 256),
    ]


# goursat_options.flags
TIME_AUG, LEAD_LAG, LAG_FIRST, SCALAR_TERM, SYMMETRIC, DIRECT = 1, 2, 4, 8, 16, 32

# goursat_status
OK = 0
NULL_POINTER, INVALID_ARGUMENT, LENGTH_MISMATCH, MISALIGNED, OVERLAP = 1, 2, 3, 4, 5
UNSUPPORTED, OUT_OF_MEMORY, CANCELLED, INTERNAL = 6, 7, 8, 9
CUDA_NO_DRIVER, CUDA_NO_DEVICE, CUDA_OLD_DRIVER, CUDA_OLD_DEVICE, CUDA_ERROR, CUDA_FORKED = 10, 11, 12, 13, 14, 15

# goursat_options.memory
HOST, CUDA, CUDA_COPY = 0, 1, 2

# T is double or float: such a function is two, with _f64 and _f32 after its name.
PROTOTYPES = """
int32_t goursat_signature(const T *path, size_t batch, size_t length, size_t dim, size_t degree, T *out,
    size_t out_len, const goursat_options *options);
int32_t goursat_sig_backprop(const T *grad, size_t grad_len, const T *path, size_t batch, size_t length,
    size_t dim, size_t degree, T *path_grad, size_t path_grad_len, const goursat_options *options);
int32_t goursat_sigkernel(const T *x, size_t x_length, const T *y, size_t y_length, size_t batch, size_t dim,
    T *out, size_t out_len, const goursat_options *options);
int32_t goursat_sigkernel_backprop(const T *grad, size_t grad_len, const T *x, size_t x_length, const T *y,
    size_t y_length, size_t batch, size_t dim, T *x_grad, size_t x_grad_len, T *y_grad, size_t y_grad_len,
    const goursat_options *options);
int32_t goursat_sigkernel_grid(const T *x, size_t x_length, const T *y, size_t y_length, size_t batch, size_t dim,
    T *out, size_t out_len, const goursat_options *options);
int32_t goursat_sigkernel_grid_backprop(const T *grad, size_t grad_len, const T *x, size_t x_length, const T *y,
    size_t y_length, size_t batch, size_t dim, T *x_grad, size_t x_grad_len, T *y_grad, size_t y_grad_len,
    const goursat_options *options);
int32_t goursat_sigkernel_gram(const T *x, size_t x_batch, size_t x_length, const T *y, size_t y_batch,
    size_t y_length, size_t dim, T *out, size_t out_len, const goursat_options *options);
int32_t goursat_sigkernel_gram_backprop(const T *grad, size_t grad_len, const T *x, size_t x_batch,
    size_t x_length, const T *y, size_t y_batch, size_t y_length, size_t dim, T *x_grad, size_t x_grad_len,
    T *y_grad, size_t y_grad_len, const goursat_options *options);
int32_t goursat_time_augment(const T *path, size_t batch, size_t length, size_t dim, T *out, size_t out_len,
    const goursat_options *options);
int32_t goursat_time_augment_backprop(const T *grad, size_t grad_len, size_t batch, size_t length, size_t dim,
    T *path_grad, size_t path_grad_len, const goursat_options *options);
int32_t goursat_lead_lag(const T *path, size_t batch, size_t length, size_t dim, T *out, size_t out_len,
    const goursat_options *options);
int32_t goursat_lead_lag_backprop(const T *grad, size_t grad_len, size_t batch, size_t length, size_t dim,
    T *path_grad, size_t path_grad_len, const goursat_options *options);
int32_t goursat_signature_length(size_t dim, size_t degree, const goursat_options *options, size_t *length);
int32_t goursat_grid_shape(size_t x_length, size_t y_length, const goursat_options *options, size_t *rows,
    size_t *columns);
const char *goursat_version(void);
uint32_t goursat_version_number(void);
const char *goursat_simd_level(void);
const char *goursat_status_name(int32_t status);
size_t goursat_last_error(char *buffer, size_t length);
int32_t goursat_default_threads(void);
int32_t goursat_cuda_available(void);
int32_t goursat_cuda_device_count(int32_t *count);
int32_t goursat_cuda_device(int32_t index, goursat_cuda_device_info *info);
"""

# Addresses are passed as integers: nothing is wrapped in a call.
_TYPES: dict[str, Any] = {
    "size_t": ctypes.c_size_t,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "const char *": ctypes.c_char_p,
    "char *": ctypes.c_void_p,
    "const T *": ctypes.c_void_p,
    "T *": ctypes.c_void_p,
    "size_t *": ctypes.c_void_p,
    "int32_t *": ctypes.c_void_p,
    "goursat_cuda_device_info *": ctypes.c_void_p,
    "const goursat_options *": ctypes.c_void_p,
}


def _split(declaration: str) -> tuple[str, str]:
    """Split ``const char *name`` into its type and its name."""
    match = re.fullmatch(r"(.*?)(\w+)", declaration.strip())
    assert match, declaration
    return match.group(1).strip(), match.group(2)


def declarations() -> dict[str, tuple[Any, list[Any]]]:
    """Return the ctypes result and arguments of every function, by its full name."""
    functions = {}
    for prototype in " ".join(PROTOTYPES.split()).rstrip(";").split(";"):
        head, arguments = prototype.strip().rstrip(")").split("(")
        restype, name = _split(head)
        kinds = [] if arguments == "void" else [_split(argument)[0] for argument in arguments.split(",")]
        suffixes = ["_f64", "_f32"] if any("T *" in kind for kind in kinds) else [""]
        for suffix in suffixes:
            functions[name + suffix] = (_TYPES[restype], [_TYPES[kind] for kind in kinds])
    return functions


def _declare(library: ctypes.CDLL, path: str) -> dict[str, Any]:
    functions = {}
    for name, (restype, argtypes) in declarations().items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{path} has no function {name}: it is not the library of this package") from None
        function.restype, function.argtypes = restype, argtypes
        functions[name[len("goursat_") :]] = function
    return functions


#: Where the library was found, and its functions by name without ``goursat_``.
PATH: str
FUNCTIONS: dict[str, Any]
_library_handle, PATH = _library.load()
FUNCTIONS = _declare(_library_handle, PATH)


def last_error() -> str:
    """Return the sentence of the last error on this thread."""
    text = ctypes.create_string_buffer(512)
    FUNCTIONS["last_error"](ctypes.addressof(text), len(text))
    return text.value.decode("utf-8", "replace")

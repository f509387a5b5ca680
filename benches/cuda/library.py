"""The library's functions by ctypes, on device pointers or in host memory: no package is needed, only libgoursat.so."""

import ctypes
import os
import pathlib

SIZE, I64, VOID = ctypes.c_size_t, ctypes.c_int64, ctypes.c_void_p
HOST, CUDA = 0, 1


class Options(ctypes.Structure):
    """goursat_options of include/goursat.h."""

    _fields_ = [
        ("size", SIZE), ("flags", ctypes.c_uint64), ("end_time", ctypes.c_double), ("x_order", ctypes.c_uint32),
        ("y_order", ctypes.c_uint32), ("threads", ctypes.c_int32), ("memory", ctypes.c_int32),
        ("device", ctypes.c_int32), ("reserved", ctypes.c_int32), ("stream", VOID), ("workspace", VOID),
        ("workspace_size", SIZE), ("x_lengths", VOID), ("y_lengths", VOID), ("x_starts", VOID), ("y_starts", VOID),
        ("x_strides", I64 * 3), ("y_strides", I64 * 3), ("x_size", SIZE), ("y_size", SIZE), ("progress", VOID),
        ("progress_data", VOID), ("workspace_query", ctypes.POINTER(SIZE)),
    ]


class Library:
    """Functions by name; what they return is checked."""

    def __init__(self):
        built = pathlib.Path(__file__).resolve().parents[2] / "target/release/libgoursat.so"
        self.library = ctypes.CDLL(os.environ.get("GOURSAT_LIBRARY") or str(built))
        self.check(self.library.goursat_cuda_available())

    def check(self, status):
        if status:
            text = ctypes.create_string_buffer(384)
            self.library.goursat_last_error(text, SIZE(384))
            raise RuntimeError(text.value.decode())

    def call(self, name, *args, memory=CUDA, workspace=None):
        """Pointers are integers or ctypes, sizes are integers; `workspace` is a Buffer."""
        options = Options(size=ctypes.sizeof(Options), memory=memory)
        if workspace is not None:
            options.workspace, options.workspace_size = workspace.address.value, workspace.bytes
        self.check(getattr(self.library, name)(*self.convert(args), ctypes.byref(options)))

    def workspace(self, name, *args):
        """Bytes that a call on device pointers needs."""
        bytes_ = SIZE()
        options = Options(size=ctypes.sizeof(Options), memory=CUDA, workspace_query=ctypes.pointer(bytes_))
        self.check(getattr(self.library, name)(*self.convert(args), ctypes.byref(options)))
        return bytes_.value

    @staticmethod
    def convert(args):
        # All of them are as wide as a pointer.
        return [SIZE(arg) if isinstance(arg, int) else arg for arg in args]

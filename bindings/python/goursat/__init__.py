"""Path signatures and signature kernels.

NumPy in, NumPy out. Paths are arrays (..., L, d) of L points in d channels, read as their piecewise-linear
interpolation, with any number of batch axes; a list of (L_b, d) arrays is a ragged batch. Results are float32 where
all arrays are, else float64. The functions may be called from many threads at once and leave the interpreter free.

>>> x = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
>>> goursat.signature(x, 2)
array([1. , 1. , 0.5, 1. , 0. , 0.5])
"""

from ._cuda import CudaDevice, cuda_available, cuda_devices, cuda_status
from ._gram import sigkernel_gram, sigkernel_gram_backprop
from ._kernel import sigkernel, sigkernel_backprop
from ._library_info import default_threads, library_path, simd_level, version
from ._signature import sig_backprop, signature, signature_length
from ._transforms import lead_lag, lead_lag_backprop, time_augment, time_augment_backprop

__version__ = version()

__all__ = [
    "CudaDevice",
    "cuda_available",
    "cuda_devices",
    "cuda_status",
    "default_threads",
    "lead_lag",
    "lead_lag_backprop",
    "library_path",
    "sig_backprop",
    "sigkernel",
    "sigkernel_backprop",
    "sigkernel_gram",
    "sigkernel_gram_backprop",
    "signature",
    "signature_length",
    "simd_level",
    "time_augment",
    "time_augment_backprop",
]

import os

import pytest

# Operators and callbacks are tested, not speed: one thread each, so that tests take what they take on one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# scikit-learn then checks array API input too, and skips nothing.
os.environ.setdefault("SCIPY_ARRAY_API", "1")


@pytest.fixture
def tensors(walks):
    """Makes tensors of random walks that ask for gradients, in double precision."""
    import torch

    def make(*shape, dtype=torch.float64, requires_grad=True):
        return torch.from_numpy(walks(*shape)).to(dtype).requires_grad_(requires_grad)

    return make

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(20081015)


@pytest.fixture
def walks(rng):
    """Makes batches of random walks of moderate size, so that kernels stay near 1."""

    def make(*shape, dtype=np.float64):
        return (np.cumsum(rng.normal(size=shape), axis=-2) / np.sqrt(shape[-2] * shape[-1])).astype(dtype)

    return make

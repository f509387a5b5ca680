"""Tensors on a CUDA device: on the stand-in for the driver that GOURSAT_TEST_LIBCUDA names; and what needs none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import goursat.torch as gt

STAND_IN = os.environ.get("GOURSAT_TEST_LIBCUDA", "")
CHECK = Path(__file__).resolve().parents[1] / "on_standin" / "check_torch.py"


class Elsewhere(torch.Tensor):
    """A tensor that says it is on a GPU, for machines without one."""

    device = property(lambda self: torch.device("cuda", 1))


def test_two_devices():
    path = torch.zeros(4, 5, 2)
    with pytest.raises(ValueError, match="tensors are on cpu and on cuda:1; expected one device"):
        gt.sigkernel(path, path.as_subclass(Elsewhere))
    with pytest.raises(ValueError, match="tensors are on cuda:1 and on cpu; expected one device"):
        gt.sigkernel_gram([path[0].as_subclass(Elsewhere), path[1]])


def test_operators_are_there_for_cuda():
    for name in ("signature", "sig_backprop", "sigkernel", "sigkernel_gram_backprop", "lead_lag"):
        assert torch._C._dispatch_has_kernel_for_dispatch_key(f"goursat::{name}", "CUDA")


if STAND_IN:  # not skipped where it must run: make test-python-full names it

    def test_on_a_device():
        """In a process of its own, for the driver is loaded once."""
        environment = {**os.environ, "LD_LIBRARY_PATH": str(Path(STAND_IN).parent)}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CHECK)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0 and " passed" in result.stdout, result.stdout + result.stderr

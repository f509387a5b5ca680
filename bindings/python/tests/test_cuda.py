"""CUDA: what is said without a driver; and all else with the stand-in for it that GOURSAT_TEST_LIBCUDA names."""

import os
import subprocess
import sys
from pathlib import Path

import goursat

STAND_IN = os.environ.get("GOURSAT_TEST_LIBCUDA", "")


def python(code, driver):
    """Run code where the directory `driver` is searched for libcuda first."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_library_that_is_no_driver(tmp_path):
    """Whatever this machine has: an empty file is found first, and is no driver."""
    (tmp_path / "libcuda.so").write_bytes(b"")
    (tmp_path / "libcuda.so.1").write_bytes(b"")
    code = "import goursat as g; print(g.cuda_available(), g.cuda_devices(), g.cuda_status())"
    said = python(code, tmp_path)
    assert said.startswith("False [] goursat_cuda_available: no CUDA driver: libcuda was not found; expected NVIDIA's")


def test_status_and_devices_agree():
    devices = goursat.cuda_devices()
    assert goursat.cuda_available() == any(device.usable for device in devices)
    assert goursat.cuda_available() == (goursat.cuda_status() == "available")
    assert [device.index for device in devices] == list(range(len(devices)))


if STAND_IN:  # not skipped where it must run: make test-cuda-kernels names it

    def test_devices():
        code = "import goursat as g; print(g.cuda_available(), *g.cuda_devices(), sep='\\n')"
        available, first, second = python(code, Path(STAND_IN).parent).splitlines()
        assert available == "True"
        assert first == (
            "CudaDevice(index=0, name='a CPU, number 0', memory=8589934592, capability=(7, 5), multiprocessors=2, "
            "driver_version=(12, 0), usable=True)"
        )
        assert second.startswith("CudaDevice(index=1, name='a CPU, number 1', ")

    def test_arrays_on_a_device():
        """In a process of its own, for the driver is loaded once."""
        check = str(Path(__file__).parent / "on_standin" / "check_numpy.py")
        code = f"import pytest, sys; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', {check!r}]))"
        assert " passed" in python(code, Path(STAND_IN).parent)

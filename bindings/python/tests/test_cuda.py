"""What the package says of CUDA: where there is no driver, and with one that stands in for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import goursat

CODE = """
import goursat
print(goursat.cuda_available(), len(goursat.cuda_devices()))
print(goursat.cuda_reason())
for device in goursat.cuda_devices():
    print(device)
"""


def said(**environment):
    variables = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", CODE], env=variables, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_the_answers_agree():
    assert goursat.cuda_available() == (goursat.cuda_reason() == "")
    assert goursat.cuda_available() == any(device.usable for device in goursat.cuda_devices())


def test_without_a_driver(tmp_path):
    (tmp_path / "libcuda.so").write_text("not a library")
    (tmp_path / "libcuda.so.1").write_text("not a library")
    answers = said(LD_LIBRARY_PATH=str(tmp_path))
    assert answers[0] == "False 0"
    assert answers[1].startswith("goursat_cuda_available: ")


@pytest.mark.skipif("GOURSAT_TEST_LIBCUDA" not in os.environ, reason="make test-cuda-kernels makes that driver and runs this")
def test_with_a_driver():
    answers = said(LD_LIBRARY_PATH=str(Path(os.environ["GOURSAT_TEST_LIBCUDA"]).parent))
    assert answers[0].startswith("True ") and answers[1] == ""
    assert answers[2].startswith("CudaDevice(index=0, name=") and "usable=True" in answers[2]

"""Calls every public function of the Python package, right and wrong, some times: for a sanitizer of leaks."""

import sys
from pathlib import Path

root = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "bindings/python/tests")]  # the package: as PYTHONPATH or the environment has it

import test_memory  # noqa: E402

for right, wrong in test_memory.FUNCTIONS.values():
    for _ in range(20):
        right()
        if wrong:
            test_memory.fails(wrong)

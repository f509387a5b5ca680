"""Runs the Python of every page, and compares what it prints where the page shows that.

Blocks of a page share their names, and run in build/docs-pictures, where the pages find the pictures that they draw.
"""

import os
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "_ext")]  # for test_site.py
PICTURES = Path(__file__).resolve().parents[1] / "build" / "docs-pictures"


def enter(namespace):
    PICTURES.mkdir(parents=True, exist_ok=True)
    namespace["__left"] = os.getcwd()
    os.chdir(PICTURES)


def leave(namespace):
    os.chdir(namespace["__left"])


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE)],
    pattern="*.md",
    setup=enter,
    teardown=leave,
).pytest()

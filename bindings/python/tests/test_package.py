"""The package: documentation that runs, the search for the library, the demo."""

import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import goursat

FUNCTIONS = [getattr(goursat, name) for name in goursat.__all__]
README = Path(__file__).resolve().parents[1] / "README.md"


@pytest.fixture(autouse=True)
def printing():
    with np.printoptions():
        np.set_printoptions(edgeitems=3, precision=8, linewidth=75, suppress=False)
        yield


def modules():
    return [goursat] + [
        importlib.import_module(f"goursat.{module.name}")
        for module in pkgutil.iter_modules(goursat.__path__)
        if module.name.startswith("_")  # not the demo, and not the library, which looks like a module
    ]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_examples(module):
    result = doctest.testmod(module, extraglobs={"np": np, "goursat": goursat})
    assert result.failed == 0


def test_examples_are_there():
    for function in FUNCTIONS:
        if function not in (goursat.default_threads, goursat.library_path):
            assert ">>> " in function.__doc__, function.__name__


def test_readme():
    """The fenced Python is run; what is printed is as the text says."""
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted > 5 and result.failed == 0


def test_every_argument_is_documented():
    for function in FUNCTIONS:
        documented = re.findall(r"^([\w, ]+?)(?: :.*)?$", inspect.getdoc(function), re.MULTILINE)
        names = {name.strip() for line in documented for name in line.split(",")}
        for name, parameter in inspect.signature(function).parameters.items():
            assert name in names, f"{function.__name__}: {name}"
            assert parameter.annotation is not inspect.Parameter.empty


def run(code, cwd=None, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], env=environment, cwd=cwd, capture_output=True, text=True)


def test_the_library_named_in_the_environment(tmp_path):
    copy = tmp_path / Path(goursat.library_path()).name
    shutil.copy(goursat.library_path(), copy)
    result = run("import goursat; print(goursat.library_path())", GOURSAT_LIBRARY=str(copy))
    assert result.stdout.strip() == str(copy), result.stderr


def test_no_other_is_taken_for_the_one_named(tmp_path):
    result = run("import goursat", GOURSAT_LIBRARY=str(tmp_path / "missing.so"))
    assert result.returncode != 0
    assert "ImportError: the Goursat library could not be loaded; tried:\n" in result.stderr
    assert f"  {tmp_path / 'missing.so'} (GOURSAT_LIBRARY): " in result.stderr


def test_every_path_tried_is_listed(tmp_path):
    """A copy of the modules, away from the repository, has no library."""
    package = Path(goursat.__file__).parent
    shutil.copytree(package, tmp_path / "goursat", ignore=shutil.ignore_patterns("*.so", "*.dylib"))
    result = run("import goursat", cwd=tmp_path, GOURSAT_LIBRARY="", PYTHONPATH=str(tmp_path))
    assert "could not be loaded; tried:" in result.stderr
    assert f"  {tmp_path / 'goursat' / 'libgoursat.so'} (bundled with the package): " in result.stderr
    assert "  libgoursat.so (installed in the system): " in result.stderr


def test_a_library_that_is_another(tmp_path):
    """Say which function is missing, from which file."""
    other = Path(np.__file__).parent.parent / "numpy.libs"
    other = next(iter(sorted(other.glob("*.so*"))))
    result = run("import goursat", GOURSAT_LIBRARY=str(other))
    assert f"ImportError: {other} has no function goursat_signature_f64" in result.stderr


@pytest.mark.filterwarnings("default")  # matplotlib's with other packages
def test_demo(tmp_path, capsys):
    from goursat.demo.__main__ import main

    picture = tmp_path / "demo.png"
    main(["--output", str(picture), "--no-progress"])
    text = capsys.readouterr().out
    assert re.search(r"as they are +0\.\d+ +0\.0002", text)
    control = re.search(r"control: every other month +0\.\d+ +(0\.\d+)", text)
    assert float(control.group(1)) > 0.05
    assert re.search(r"Lehman, 2008-09-15 +-28\.2% +67%\n +2009-02-\d\d +0\.6\d +-2\d\.\d% +4\d%", text)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 100_000

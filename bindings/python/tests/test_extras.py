"""What is optional and absent says what to install, and is not needed for the rest."""

import importlib
import sys

import pytest

import goursat

LIBRARIES = {"torch": "torch", "sklearn": "sklearn.utils.validation", "dask": "dask.array", "jax": "jax"}


@pytest.mark.parametrize("extra", LIBRARIES)
def test_absent(monkeypatch, extra):
    for name in [name for name in sys.modules if name.startswith(f"goursat.{extra}")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(goursat, extra, raising=False)
    monkeypatch.setitem(sys.modules, extra, None)
    monkeypatch.setitem(sys.modules, LIBRARIES[extra], None)
    with pytest.raises(ImportError, match=rf"^goursat.{extra} needs .*: pip install 'goursat\[{extra}\]'$"):
        importlib.import_module(f"goursat.{extra}")


def test_nothing_optional_is_imported():
    import subprocess

    code = "import sys, goursat; print([m for m in ('torch', 'sklearn', 'dask', 'jax') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

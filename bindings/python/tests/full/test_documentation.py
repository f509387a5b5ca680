"""Examples of the optional modules run, and every argument is documented."""

import doctest
import importlib
import inspect
import pkgutil
import re

import jax
import numpy as np
import pytest
import torch

import goursat
import goursat.dask
import goursat.jax
import goursat.sklearn
import goursat.torch

PACKAGES = [goursat.torch, goursat.sklearn, goursat.dask, goursat.jax]


def modules():
    for package in PACKAGES:
        yield package
        for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
            yield importlib.import_module(f"{package.__name__}.{module.name}")


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_examples(module):
    # NumPy and Dask are what examples begin with; so are the others where they are at home.
    known = {"np": np, "goursat": goursat, "torch": torch, "jax": jax}
    assert doctest.testmod(module, extraglobs=known).failed == 0


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_everything_is_documented(package):
    for name in package.__all__:
        thing = getattr(package, name)
        assert ">>> " in thing.__doc__, name
        documented = re.findall(r"^([\w, ]+?)(?: :.*)?$", inspect.getdoc(thing), re.MULTILINE)
        names = {word.strip() for line in documented for word in line.split(",")}
        for parameter in inspect.signature(thing).parameters.values():
            if parameter.kind is not parameter.VAR_KEYWORD:
                assert parameter.name in names, f"{name}: {parameter.name}"

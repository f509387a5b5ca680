"""The committed cases of tests/vectors: what other people's libraries compute."""

import json
from pathlib import Path

import numpy as np
import pytest

import goursat

VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors"
FILES = sorted(VECTORS.glob("*.json"))

# Relative to the largest entry, in float64 and in float32.
TOLERANCES = {"f8": 1e-12, "f4": 2e-5}


def array(stored):
    return np.array(stored["data"], np.float64).reshape(stored["shape"])


def run(function, options, inputs):
    """Call the function that a file is named after; returns its results as the file calls them."""
    if function == "time_augment":
        moved = goursat.time_augment(inputs["path"], **options)
        return {"transformed": moved, "path_grad": goursat.time_augment_backprop(inputs["grad"])}
    if function == "lead_lag":
        lag_first = options["lead_lag"] == "lag_first"
        moved = goursat.lead_lag(inputs["path"], lag_first=lag_first)
        return {"transformed": moved, "path_grad": goursat.lead_lag_backprop(inputs["grad"], lag_first=lag_first)}
    if function == "signature":
        return {"signature": goursat.signature(**inputs, **options)}
    if function == "sig_backprop":
        return {"path_grad": goursat.sig_backprop(**inputs, **options)}
    name = function.replace("_grid", "")
    if name != function:
        options = {**options, "return_grid": True}
    result = getattr(goursat, name)(**inputs, **options)
    if isinstance(result, tuple):
        return {"x_grad": result[0], "y_grad": result[1]}
    if name.endswith("backprop"):
        return {"x_grad": result}
    return {{"sigkernel": "kernel", "sigkernel_grid": "grid", "sigkernel_gram": "gram"}[function]: result}


def levels(values, function, options, inputs):
    """Split signatures into levels, whose coefficients are of one size; anything else is one piece."""
    if function != "signature":
        return [values]
    dim = goursat.signature_length(
        inputs["path"].shape[2], 1, time_aug=options["time_aug"], lead_lag=options["lead_lag"]
    )
    lengths = [dim**k for k in range(0 if options["scalar_term"] else 1, options["degree"] + 1)]
    assert sum(lengths) == values.shape[-1]
    return np.split(values, np.cumsum(lengths)[:-1], axis=-1)


def test_there_is_a_file_for_every_function():
    assert [file.stem for file in FILES] == [
        *("lead_lag", "sig_backprop", "sigkernel", "sigkernel_backprop", "sigkernel_gram", "sigkernel_gram_backprop"),
        *("sigkernel_grid", "sigkernel_grid_backprop", "signature", "time_augment"),
    ]


@pytest.mark.parametrize("dtype", list(TOLERANCES))
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_vectors(file, dtype):
    content = json.loads(file.read_text())
    function = content["function"]
    assert content["cases"]
    for case in content["cases"]:
        options = case["options"]
        if "dyadic_order" in options:
            options["dyadic_order"] = tuple(options["dyadic_order"])
        inputs = {name: array(stored).astype(dtype) for name, stored in case["inputs"].items()}
        results = run(function, options, inputs)
        assert results.keys() == case["expected"].keys(), case["name"]
        for name, stored in case["expected"].items():
            expected = array(stored)
            assert results[name].shape == expected.shape, case["name"]
            assert results[name].dtype == dtype
            pieces = (levels(values, function, options, inputs) for values in (results[name], expected))
            for given, wanted in zip(*pieces):
                size = np.abs(wanted).max(initial=1e-6 if dtype == "f4" else 1e-12)
                np.testing.assert_allclose(given, wanted, rtol=0, atol=TOLERANCES[dtype] * size, err_msg=case["name"])

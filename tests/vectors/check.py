"""Recomputes the committed vectors with the installed peers (see make.py) and compares to 1e-12.

The error is taken relative to the largest entry of each result, level by level for signatures. A result so small that
nothing of it is left (1e-300) counts as zero. Exits with 1 if anything differs, or if a file or a case is missing.
"""

import json
import sys

import numpy as np

import make

TOLERANCE = 1e-12


def parts(name, array, case):
    """The slices that are judged on their own scale."""
    if name != "signature":
        return [array]
    options, dim = case["options"], case["inputs"]["path"]["shape"][-1]
    dim = dim * (2 if options["lead_lag"] else 1) + options["time_aug"]
    sizes = [dim**k for k in range(0 if options["scalar_term"] else 1, options["degree"] + 1)]
    assert sum(sizes) == array.shape[-1], (sizes, array.shape)
    return np.split(array, np.cumsum(sizes)[:-1], axis=-1)


def error(name, committed, computed, case):
    if committed.shape != computed.shape:
        return np.inf
    worst = 0.0
    for a, b in zip(parts(name, committed, case), parts(name, computed, case), strict=True):
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            return np.inf
        scale = np.abs(a).max(initial=1e-300)
        worst = max(worst, np.abs(a - b).max(initial=0.0) / scale)
    return worst


def read(arrays):
    return {name: np.array(a["data"], dtype=float).reshape(a["shape"]) for name, a in arrays.items()}


def check(case, function):
    """None, or what is wrong."""
    expected = read(case["expected"])
    computed = function(case["peer"], **read(case["inputs"]), **case["options"])
    if expected.keys() != computed.keys():
        return f"results {sorted(computed)}, committed {sorted(expected)}"
    worst = max(error(name, expected[name], np.asarray(computed[name]), case) for name in expected)
    return None if worst <= TOLERANCE else f"off by {worst:.1e}"


def main():
    passed = failed = 0
    for name, (function, _) in make.FUNCTIONS.items():
        file = make.HERE / f"{name}.json"
        cases = json.loads(file.read_text())["cases"] if file.exists() else []
        wrong = [] if cases else ["no cases"]
        for case in cases:
            try:
                fault = check(case, function)
            except Exception as exception:  # a peer that refuses is a mismatch like any other
                fault = f"{type(exception).__name__}: {exception}"
            if fault:
                wrong.append(f"{case['name']}: {fault}")
            else:
                passed += 1
        failed += len(wrong)
        print("\n".join([f"{file.name}: {len(cases)} cases", *wrong]))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

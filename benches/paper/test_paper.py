"""benches/paper: the second PDE's gradient is what it is said to be, and the whole script runs, in tiny sizes.

`make test-paper` runs it.
"""

import csv
import re
from pathlib import Path

import gradients
import numpy as np
import pytest
import reproduce
import works
from gradients import curves, errors, exact_gradient
from second_pde import grid, refined, second_pde_gradient

import goursat


def test_grid_is_the_scheme():
    x, y = curves(2, 6, 3, 1), curves(2, 4, 3, 2)
    solved = grid(refined(x, 2) @ np.swapaxes(refined(y, 2), -1, -2))
    expected = goursat.sigkernel(x, y, dyadic_order=2, return_grid=True)
    np.testing.assert_allclose(solved, expected, rtol=1e-13)  # rounding of 300 cells


def test_second_pde_by_hand():
    """One cell, x = y = (0, 1): k~ k <e, dy> = 1; the derivative of the scheme at Δ = 1 is 2·(1/2 + 1/6) + 1/6."""
    x = np.array([[[0.0], [1.0]]])
    assert second_pde_gradient(x, x, 0).tolist() == [[[-1.0], [1.0]]]
    np.testing.assert_allclose(exact_gradient(x, x, 0), [[[-1.5], [1.5]]], rtol=1e-15)


def test_second_pde_converges():
    """It is the derivative of the continuous equation: its error halves with every order, and goes to 0."""
    x, y = curves(1, 5, 2, 1), curves(1, 5, 2, 2)
    exact = exact_gradient(x, y, 10)
    errors = [np.abs(second_pde_gradient(x, y, order) - exact).max() for order in range(5, 9)]
    ratios = np.array(errors[:-1]) / errors[1:]
    assert np.all((1.8 < ratios) & (ratios < 2.2)), ratios


@pytest.mark.parametrize("kind", ["walk", "smooth"])
def test_the_claim(kind):
    """Exact to the rounding of the differences where the second PDE is a tenth off; pySigLib's is exact too."""
    for row in errors(kind, 5, [0, 3]):
        assert row.exact < 1e-10
        assert row.pysiglib < 1e-10
        assert row.second_pde > 1e-2
        assert row.exact_to_limit < row.second_pde_to_limit / 10


def test_the_table_in_the_documentation():
    """docs/kernels.md: the second PDE's errors to 5 %, the rounding of the differences within a factor of 10."""
    page = (Path(__file__).parents[2] / "docs" / "kernels.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\d+) \| (\d+) \| (\S+) \| (\S+) \|$", page, re.MULTILINE)
    assert len(table) == 7
    for points, order, exact, second in table:
        (row,) = errors("walk", int(points), [int(order)])
        assert row.second_pde == pytest.approx(float(second), rel=0.05)
        assert row.exact < 10 * float(exact)


def test_everything_runs(tmp_path):
    reproduce.main(["--quick", "--output", str(tmp_path)])
    page = (tmp_path / "paper.md").read_text()
    for title in reproduce.TITLES.values():
        assert f"\n## {title}\n" in page
    assert "not installed" not in page
    for picture in ("figure1", "figure2", "figure3", "figure3-gradients", "gradients"):
        assert f"![]({picture}.png)" in page
        assert (tmp_path / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
    for item in reproduce.TITLES:
        with (tmp_path / f"{item}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert rows
        if item != "gradients":
            assert {row["threads"] for row in rows} == {"1", "all"}
            assert all(float(row["Goursat, ms"]) > 0 and float(row["pySigLib, ms"]) > 0 for row in rows)


def test_unknown_item(capsys):
    with pytest.raises(SystemExit):
        reproduce.main(["--only", "table9"])
    assert "--only has table9; expected some of table1, " in capsys.readouterr().err


def test_without_peers(tmp_path, monkeypatch):
    """Where none installs there is Goursat alone, and its errors beside those of the second PDE."""
    for module, name in [(works, "pysiglib"), (works, "iisignature"), (works, "esig"), (gradients, "pysiglib")]:
        monkeypatch.setattr(module, name, None)
    reproduce.main(["--quick", "--output", str(tmp_path), "--only", "table1,table2,gradients"])
    for item in ("table1", "table2"):
        with (tmp_path / f"{item}.csv").open() as file:
            row = next(csv.DictReader(file))
        assert float(row["Goursat, ms"]) > 0
        assert not [name for name in row if name.endswith(", ms") and not name.startswith("Goursat")]
    assert "Table 3" not in (tmp_path / "paper.md").read_text()

"""The demo: prints what it finds and draws a picture."""

import argparse
import sys
import time

import numpy as np

import goursat

from .analysis import embedding, mmd_test, neighbours, similarity
from .market import DAYS, MOVE, Market

FAMOUS = [
    ("Dot-com crash", "2000-04-03"),
    ("11 September", "2001-09-10"),
    ("Lehman", "2008-09-15"),
    ("US downgrade", "2011-07-22"),
    ("Quiet 2017", "2017-09-25"),
    ("December 2018", "2018-11-30"),
]

#: Time is the last channel; the lag block beside the lead block lets the kernel see quadratic variation.
PATHS = {"time_aug": True, "lead_lag": True, "dyadic_order": 3}


def main(arguments=None):
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="python -m goursat.demo", description=__doc__)
    parser.add_argument("--output", default="goursat-demo.png", help="where the picture goes (default: %(default)s)")
    parser.add_argument("--no-progress", action="store_true", help="show no progress bars")
    options = parser.parse_args(arguments)
    try:
        from .picture import draw
    except ImportError as error:
        sys.exit(f"{error}: the demo draws with matplotlib; pip install 'goursat[demo]'")
    bar = not options.no_progress

    market = Market()
    print(f"Goursat {goursat.__version__}, {goursat.simd_level()}, {goursat.default_threads()} threads")
    print(f"S&P 500 and NASDAQ, {len(market.dates)} daily closes, {market.dates[0]} to {market.dates[-1]}\n")

    windows = market.paths(market.first)
    print(f"1. Similarity of {len(windows)} months of {DAYS} trading days")
    print("   Each is a path of cumulated log-returns of both indices, all scaled alike, as lead-lag path with time:")
    print(f"   {2 * DAYS + 1} points in 5 channels. Similarity is the cosine of the angle between two signatures.")
    began = time.perf_counter()
    kernel = similarity(goursat.sigkernel_gram(windows, **PATHS, progress=bar))
    print(f"   {kernel.shape[0]} x {kernel.shape[1]} signature kernels: {time.perf_counter() - began:.2f} s\n")

    tests = test(market, windows, kernel)
    search(market, bar)

    draw(market, kernel, embedding(kernel, market.returns, market.volatility), tests, FAMOUS, options.output)
    print(f"Picture: {options.output}")


def test(market, windows, kernel):
    """Compare what follows calm with what follows turbulent months, print it and return the tests."""
    print("2. Do paths after turbulent months differ from paths after calm ones? (maximum mean discrepancy)")
    moved = np.diff(windows, axis=1)
    own = windows / np.sqrt(np.sum(moved**2, axis=1, keepdims=True))
    own_kernel = similarity(goursat.sigkernel_gram(MOVE * own, **PATHS))
    chosen = market.regime != 1
    alternate = np.cumsum(chosen)[chosen] % 2 == 0
    tests = []
    print(f"   {'months':<42}{'MMD²':>8}{'p-value':>10}")
    for name, values, labels in (
        ("as they are", kernel, market.regime[chosen] == 2),
        ("each divided by its own volatility", own_kernel, market.regime[chosen] == 2),
        ("control: every other month", kernel, alternate),
    ):
        squared, relabelled, p = mmd_test(values[np.ix_(chosen, chosen)], labels)
        print(f"   {name:<42}{squared:8.4f}{p:10.4f}")
        tests.append((name, squared, relabelled, p))
    print()
    return tests


def search(market, bar):
    """Print the months most like famous ones, among the months that begin on any day."""
    days = np.arange(len(market.dates) - DAYS)
    every = market.paths(days)
    queries = np.array([market.day(date) for _, date in FAMOUS])
    print(f"3. Months most like famous ones, among {len(days)} that begin on any day")
    # k(x, x) of every window, and of all windows with the famous ones: two batches, two calls.
    norms = goursat.sigkernel(every, every, **PATHS)
    gram = goursat.sigkernel_gram(every[queries], every, **PATHS, progress=bar)
    similarities = similarity(gram, norms[queries], norms)
    print(f"   {'month from':<32}{'similarity':>10}{'S&P 500':>10}{'volatility':>12}")

    def show(label, day, alike=""):
        print(f"   {label:<32}{alike:>10}{market.return_of(day):>+10.1%}{market.volatility_of(day):>12.0%}")

    for (name, _), query, row in zip(FAMOUS, queries, similarities):
        show(f"{name}, {market.dates[query + 1]}", query)
        for day in neighbours(row, query):
            show(f"    {market.dates[day + 1]}", day, f"{row[day]:.2f}")
    print()


if __name__ == "__main__":
    main()

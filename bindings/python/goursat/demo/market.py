"""Daily closes of two indices, cut into windows of one month."""

import csv
from importlib.resources import files

import numpy as np

#: Trading days in a window.
DAYS = 20

#: How far an average month moves, in the unit of the paths. The kernel of a path with itself grows exponentially with
#: how far it moves: this keeps most similarities between 0.1 and 0.9, with 1 the crashes dwarf everything.
MOVE = 0.5


class Market:
    """Log-prices and what follows from them, day by day and window by window.

    Attributes
    ----------
    dates : (D,) strings
    log_prices : (D, 2), S&P 500 and NASDAQ
    scale : what log-returns are multiplied by, the same for all: an average month then moves by `MOVE`
    first : (W,) index of the day before each window; windows do not overlap
    returns, volatility : (W,) of the S&P 500 in each window, the latter annualised
    regime : (W,) 0, 1, 2 for calm, middling, turbulent by the volatility of the window BEFORE: it says nothing about
        the window itself, so that a test may ask whether the path does
    """

    def __init__(self):
        with (files(__package__) / "indices.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.dates = np.array([row["date"] for row in rows])
        self.log_prices = np.log([[float(row["sp500"]), float(row["nasdaq"])] for row in rows])
        returns = np.diff(self.log_prices, axis=0)
        self.scale = MOVE / (returns.std() * np.sqrt(DAYS))

        first = np.arange(len(returns) % DAYS, len(returns), DAYS)
        before = first[:-1]  # the first window has none before it
        self.first = first[1:]
        self.returns = np.array([self.return_of(day) for day in self.first])
        self.volatility = np.array([self.volatility_of(day) for day in self.first])
        self.volatility_before = np.array([self.volatility_of(day) for day in before])
        thirds = np.quantile(self.volatility_before, [1 / 3, 2 / 3])
        self.regime = np.searchsorted(thirds, self.volatility_before)

    def paths(self, first):
        """Return the cumulated and scaled log-returns of windows: (W, DAYS + 1, 2)."""
        days = np.asarray(first)[:, None] + np.arange(DAYS + 1)
        return self.scale * (self.log_prices[days] - self.log_prices[days[:, :1]])

    def volatility_of(self, day):
        returns = np.diff(self.log_prices[day : day + DAYS + 1, 0])
        return np.sqrt(252 * np.mean(returns**2))

    def return_of(self, day):
        """Return what the S&P 500 did in a window."""
        return np.expm1(self.log_prices[day + DAYS, 0] - self.log_prices[day, 0])

    def day(self, date):
        """Return the index of the last day before a date."""
        return int(np.searchsorted(self.dates, date)) - 1

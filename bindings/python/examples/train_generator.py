"""Train a neural SDE on twenty years of stock markets by the maximum mean discrepancy of signature kernels.

    python bindings/python/examples/train_generator.py --output generator.png

Real are months of S&P 500 and NASDAQ, cut anywhere in the series of `goursat.demo`: paths of 21 points in 2 channels.
The generator is dX = σ(t, X, Z) dW + μ(t, X, Z) dt by Euler-Maruyama, μ and σ being small networks; Z is drawn once a
path, so that months may be calm or turbulent. The loss compares samples as lead-lag paths with time, whose signature
kernel sees volatility as well as direction. Takes less than a minute on one core; needs PyTorch and matplotlib.
"""

import argparse

import numpy as np
import torch

import goursat.torch
from goursat.demo.market import DAYS, Market

#: What paths are multiplied by in the loss: kernels grow exponentially, and crashes should not be all that counts.
SCALE = 0.7


class NeuralSDE(torch.nn.Module):
    """Paths of DAYS + 1 points in 2 channels that begin at 0."""

    def __init__(self, hidden=32, latent=2):
        super().__init__()
        self.latent = latent
        self.drift, self.diffusion = (
            torch.nn.Sequential(torch.nn.Linear(3 + latent, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, width))
            for width in (2, 4)
        )
        with torch.no_grad():  # begin with months that hardly move
            self.drift[-1].weight.mul_(0.3)
            self.diffusion[-1].weight.mul_(0.3)

    def forward(self, count):
        z = torch.randn(count, self.latent)
        noise = torch.randn(DAYS, count, 2) / DAYS**0.5
        points = [torch.zeros(count, 2)]
        for step in range(DAYS):
            time = torch.full((count, 1), step / DAYS)
            state = torch.cat([time, points[-1], z], 1)
            moved = (self.diffusion(state).reshape(count, 2, 2) @ noise[step, :, :, None])[..., 0]
            points.append(points[-1] + self.drift(state) / DAYS + moved)
        return torch.stack(points, 1)


def real_windows():
    """Every window of the series, as float32 paths (W, DAYS + 1, 2)."""
    market = Market()
    return torch.from_numpy(market.paths(np.arange(len(market.log_prices) - DAYS))).float()


def train(steps=150, batch=96, seed=0, report=print):
    """Return the generator, its first paths, and the loss of every step."""
    torch.manual_seed(seed)
    real, generator = real_windows(), NeuralSDE()
    with torch.no_grad():
        before = generator(500)
    loss = goursat.torch.SigKernelMMD(time_aug=True, lead_lag=True)
    optimiser = torch.optim.Adam(generator.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    for step in range(steps):
        sample = real[torch.randint(len(real), (batch,))]
        optimiser.zero_grad()
        distance = loss(SCALE * generator(batch), SCALE * sample)
        distance.backward()
        optimiser.step()
        schedule.step()
        losses.append(distance.item())
        if step % 25 == 24:
            report(f"step {step + 1:4}: MMD² {np.mean(losses[-25:]):8.5f}")
    return generator, before, losses


def volatility(paths):
    """The realised volatility of the first channel, in units of the paths."""
    return paths.diff(dim=1)[..., 0].square().sum(1).sqrt()


def draw(real, before, after, losses, output):
    """Write the picture: paths, the loss, and what the loss was not told of."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(14, 7.6), layout="constrained")
    samples = [("real", real, "#22272e"), ("generated, untrained", before, "#b9b4a7"), ("generated", after, "#2a9d8f")]
    for axis, (name, paths, colour) in zip(axes[0], samples):
        axis.plot(paths[:60, :, 0].T, color=colour, alpha=0.4, lw=0.9)
        axis.set(title=f"{name}: 60 months of the S&P 500", ylim=(-2.5, 2.5), xlabel="trading day")
    axes[1, 0].plot(losses, color="#b9b4a7", lw=0.8)
    axes[1, 0].plot(np.convolve(losses, np.ones(10) / 10, "valid"), color="#e4572e")
    axes[1, 0].set(title="MMD² of signature kernels", xlabel="step")
    for axis, title, statistic in (
        (axes[1, 1], "return of a month", lambda paths: paths[:, -1, 0]),
        (axes[1, 2], "volatility of a month", volatility),
    ):
        values = [statistic(paths).numpy() for _, paths, _ in samples]
        bins = np.linspace(min(map(np.min, values[::2])), np.quantile(values[0], 0.995), 40)
        for (name, _, colour), value in zip(samples, values):
            axis.hist(value, bins, density=True, histtype="step", lw=1.6, color=colour, label=name)
        axis.set(title=title)
        axis.legend(frameon=False)
    figure.savefig(output, dpi=110)
    plt.close(figure)


def main(arguments=None):
    """Train, print the loss and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="generator.png", help="where the picture goes (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args(arguments)
    generator, before, losses = train(options.steps)
    with torch.no_grad():
        after = generator(1000)
    real = real_windows()[torch.randperm(4000)]
    print(f"volatility of a month: real {volatility(real).mean():.3f}, generated {volatility(after).mean():.3f}")
    draw(real, before, after, losses, options.output)
    print(f"Picture: {options.output}")


if __name__ == "__main__":
    main()

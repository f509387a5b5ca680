"""The example that trains a generator: its loss falls, and it draws."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import train_generator


@pytest.mark.filterwarnings("default")  # of PyTorch and matplotlib with other packages
def test_the_loss_falls(tmp_path):
    generator, before, losses = train_generator.train(steps=40, batch=48, report=lambda line: None)
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])
    real = train_generator.real_windows()[:500]
    after = generator(500).detach()
    distances = [
        abs(float(train_generator.volatility(p).mean() - train_generator.volatility(real).mean()))
        for p in (before, after)
    ]
    assert distances[1] < distances[0]
    picture = tmp_path / "generator.png"
    train_generator.draw(real, before, after, losses, picture)
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 50_000

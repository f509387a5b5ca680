"""The same in PyTorch, as its users write it: anti-diagonals of the grid, Chen's identity step by step, autograd."""

import torch


def skewed(delta):
    """Row i moved i places to the right: anti-diagonals become columns."""
    rows, columns = delta.shape[-2:]
    flat = torch.nn.functional.pad(delta, (0, rows)).flatten(-2)[..., : rows * (columns + rows - 1)]
    return flat.unflatten(-1, (rows, columns + rows - 1))


def kernels(x, y, gram):
    dx, dy = x.diff(dim=1), y.diff(dim=1)
    delta = torch.einsum("amc,bnc->abmn", dx, dy) if gram else dx @ dy.mT
    rows, columns = delta.shape[-2:]
    delta = skewed(delta)
    ones = torch.ones_like(delta[..., :1, 0])
    before = last = torch.ones((*delta.shape[:-2], rows + 1), dtype=x.dtype, device=x.device)
    for p in range(rows + columns - 1):
        d = delta[..., p]
        square = d * d / 12
        inner = (last[..., :-1] + last[..., 1:]) * (1 + d / 2 + square) - before[..., :-1] * (1 - square)
        before, last = last, torch.cat((ones, inner), -1)
    return last[..., -1]


def signatures(paths, degree):
    dx = paths.diff(dim=1)
    levels = [torch.zeros((len(paths), paths.shape[2] ** k), dtype=paths.dtype, device=paths.device) for k in range(1, degree + 1)]
    for z in dx.unbind(1):
        new = []
        for k in range(degree, 0, -1):
            # Horner: (((z/k + S1) z/(k-1) + S2) … ) z + Sk
            sum_ = z / k
            for j in range(1, k):
                sum_ = ((sum_ + levels[j - 1])[:, :, None] * (z / (k - j))[:, None, :]).flatten(1)
            new.append(sum_ + levels[k - 1])
        levels = new[::-1]
    return torch.cat(levels, 1)

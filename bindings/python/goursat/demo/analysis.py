"""Kernels to answers: similarity, a two-sample test, an embedding, nearest neighbours."""

import numpy as np

from .market import DAYS


def similarity(gram, x_norms=None, y_norms=None):
    """Return kernels divided by the norms of both signatures: the cosine of the angle between them."""
    if x_norms is None:
        x_norms = y_norms = np.diagonal(gram)
    return gram / np.sqrt(np.outer(x_norms, y_norms))


def mmd_test(kernel, first, permutations=4000, seed=0):
    """Test whether two samples come from one distribution.

    Parameters
    ----------
    kernel : (n, n) of both samples together
    first : (n,) bool, which belong to the first sample

    Returns
    -------
    The squared maximum mean discrepancy, those of relabelled samples, and the p-value. Relabelling takes windows for
    exchangeable, which markets grant only roughly: volatility comes in spells.
    """
    rng = np.random.default_rng(seed)
    labels = np.array([first] + [rng.permutation(first) for _ in range(permutations)])
    weights = labels / labels.sum(axis=1, keepdims=True) - ~labels / (~labels).sum(axis=1, keepdims=True)
    squared = np.einsum("pi,pi->p", weights @ kernel, weights)
    return squared[0], squared[1:], (1 + np.sum(squared[1:] >= squared[0])) / (1 + permutations)


def embedding(kernel, *orient):
    """Project on the first principal components in feature space (kernel PCA), one for each of `orient`.

    The sign of a component is free: it is chosen to rise with that quantity. Returns (n, components) and the shares of
    variance they carry.
    """
    centred = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
    values, vectors = np.linalg.eigh(centred)
    count = len(orient)
    points = vectors[:, : -count - 1 : -1] * np.sqrt(values[: -count - 1 : -1])
    signs = [np.sign(np.corrcoef(point, rising)[0, 1]) for point, rising in zip(points.T, orient)]
    return points * signs, values[: -count - 1 : -1] / values.sum()


def neighbours(similarities, day, count=3):
    """Return the days whose windows are most similar to that of `day`, none overlapping it or each other."""
    taken, found = [day], []
    for candidate in np.argsort(-similarities):
        if all(abs(candidate - other) > DAYS for other in taken):
            taken.append(candidate)
            found.append(int(candidate))
            if len(found) == count:
                break
    return found

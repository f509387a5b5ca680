"""DataLoader workers, whatever starts them, after their parent has used its threads."""

import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import goursat
import goursat.torch as gt


class Signatures(Dataset):
    """Signatures and kernels of paths, computed where they are loaded."""

    def __init__(self, paths, backward):
        self.paths = paths
        self.backward = backward

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, b):
        path = self.paths[b].clone().requires_grad_(self.backward)
        gram = gt.sigkernel_gram(path[None].expand(8, -1, -1), n_threads=2)
        if self.backward:
            gram.sum().backward()
        return gt.signature(self.paths[b], 3, n_threads=2), path.grad if self.backward else gram


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 warns of fork with threads
def test_data_loader(walks, method):
    paths = torch.from_numpy(walks(6, 50, 2))
    # PyTorch itself has no backward in a forked process whose parent has run one.
    dataset = Signatures(paths, backward=method != "fork")
    # Threads of the library and of PyTorch are at work before the workers start.
    large = torch.from_numpy(walks(40, 60, 2)).requires_grad_()
    gt.sigkernel_gram(large, n_threads=2).sum().backward()
    goursat.signature(walks(40, 60, 2), 5, n_threads=2)
    expected = [torch.stack(part) for part in zip(*(dataset[b] for b in range(6)))]
    loader = DataLoader(dataset, batch_size=3, num_workers=2, multiprocessing_context=method, timeout=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batches = list(loader)
    for part, whole in enumerate(expected):
        np.testing.assert_array_equal(torch.cat([batch[part] for batch in batches]), whole)
    # The parent goes on.
    assert torch.equal(dataset[0][0], expected[0][0])

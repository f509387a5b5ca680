"""The losses, held to pySigLib's and to their definitions."""

import io

import pysiglib.torch_api as peer
import pytest
import torch

import goursat.torch as gt

OPTIONS = [{}, {"time_aug": True, "dyadic_order": 1}, {"lead_lag": True, "end_time": 2.0, "time_aug": True}]


def gradients(loss, *tensors):
    return torch.autograd.grad(loss, tensors)


@pytest.mark.filterwarnings("ignore:Detected a non-contiguous")  # of pySigLib
@pytest.mark.parametrize("options", OPTIONS)
def test_like_pysiglib(tensors, options):
    """Their estimates are the unbiased ones. Differences of kernels near 1: 1e-12 absolute is what doubles allow."""
    options = {"dyadic_order": 0, **options}
    x, y = tensors(5, 6, 2), tensors(4, 7, 2)
    cases = [
        (gt.SigKernelMMD(**options)(x, y), peer.sig_mmd(x, y, **options).squeeze()),
        (gt.SigKernelScore(**options)(x, y), peer.expected_sig_score(x, y, **options).squeeze()),
        (gt.SigKernelScore(lam=0.5, **options)(x, y), peer.expected_sig_score(x, y, lam=0.5, **options).squeeze()),
        (gt.SigKernelScore(**options)(x, y[1]), peer.sig_score(x, y[1], **options).squeeze()),
        (gt.SigKernelScore(reduction="none", **options)(x, y)[2], peer.sig_score(x, y[2], **options).squeeze()),
    ]
    for ours, theirs in cases:
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
        for a, b in zip(gradients(ours, x, y), gradients(theirs, x, y)):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)


def test_biased(tensors):
    x, y = tensors(5, 6, 2), tensors(4, 7, 2)
    xx, xy, yy = gt.sigkernel_gram(x), gt.sigkernel_gram(x, y), gt.sigkernel_gram(y)
    mmd = gt.SigKernelMMD(biased=True)
    torch.testing.assert_close(mmd(x, y), xx.mean() - 2 * xy.mean() + yy.mean())
    torch.testing.assert_close(gt.SigKernelScore(biased=True)(x, y), xx.mean() - 2 * xy.mean())
    assert abs(mmd(x, x)) < 1e-14 and mmd(x, y) > 0 and mmd(x[:1], y[:1]) > 0
    fixed = gt.SigKernelMMD(biased=True, fixed_y=True)
    torch.testing.assert_close(fixed(x, y), xx.mean() - 2 * xy.mean())
    torch.testing.assert_close(gradients(fixed(x, y), x), gradients(mmd(x, y), x))


@pytest.mark.parametrize("biased", [False, True])
def test_gradcheck(tensors, biased):
    x, y = tensors(3, 4, 2), tensors(2, 5, 2)
    for loss in (gt.SigKernelMMD(biased=biased), gt.SigKernelScore(biased=biased, lam=0.3, reduction="none")):
        assert torch.autograd.gradcheck(loss, (x, y))


def test_ragged(tensors):
    x, y = [tensors(n, 2) for n in (4, 2, 5)], tensors(3, 4, 2)
    padded = torch.nn.utils.rnn.pad_sequence(x, batch_first=True)
    for loss in (gt.SigKernelMMD(), gt.SigKernelScore()):
        torch.testing.assert_close(loss(x, y), loss(padded, y, x_lengths=[4, 2, 5]))
        torch.testing.assert_close(loss(y, x), loss(y, padded, y_lengths=[4, 2, 5]))


def test_unbiased():
    """The mean over many pairs of samples of one law is 0 within its standard error; that of the biased is not."""
    torch.manual_seed(0)
    paths = torch.randn(400, 2, 3, 10, 2).cumsum(-2) / 6
    unbiased = torch.stack([gt.SigKernelMMD()(x, y) for x, y in paths])
    biased = torch.stack([gt.SigKernelMMD(biased=True)(x, y) for x, y in paths])
    error = unbiased.std() / len(paths) ** 0.5
    assert abs(unbiased.mean()) < 3 * error
    assert biased.mean() > 10 * error


def test_large_kernels_of_paths_with_themselves():
    """Single precision keeps what differs: k(x, x) is 10^8 times what paths have in common."""
    x = torch.eye(3)[:, None, :] * torch.linspace(0, 9.0, 50)[:, None]  # three directions at right angles
    torch.testing.assert_close(gt.SigKernelMMD(fixed_y=True)(x, 0 * x), torch.tensor(-1.0))


def test_modules(tensors):
    mmd = gt.SigKernelMMD(dyadic_order=1, time_aug=True)
    assert "biased=False" in repr(mmd) and "dyadic_order=1" in repr(mmd)
    buffer = io.BytesIO()
    torch.save(mmd, buffer)
    buffer.seek(0)
    x, y = tensors(3, 4, 2), tensors(3, 4, 2)
    assert torch.load(buffer, weights_only=False)(x, y) == mmd(x, y)
    assert not list(mmd.parameters())
    with pytest.raises(ValueError, match="x has 1 paths; expected 2 or more for the unbiased estimate"):
        mmd(x[:1], y)
    with pytest.raises(ValueError, match="y has 0 paths; expected 1 or more for the biased estimate"):
        gt.SigKernelMMD(biased=True)(x, y[:0])
    with pytest.raises(ValueError, match="reduction is 'sum'"):
        gt.SigKernelScore(reduction="sum")
    with pytest.raises(TypeError, match="scale"):
        gt.SigKernelMMD(scale=2.0)

"""The operators under torch.compile, vmap and torch.func, by PyTorch's own checks and by equality with plain calls."""

import pytest
import torch

import goursat.torch as gt

OPERATORS = torch.ops.goursat
PLAIN = (False, 1.0, "", 0)  # time_aug, end_time, lead_lag, n_threads
BOTH = (True, 2.0, "lead_first", 0)
CHECKS = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")


@pytest.mark.filterwarnings("ignore")  # of PyTorch's checks, about themselves
@pytest.mark.parametrize("rest", [PLAIN, BOTH])
def test_operators_keep_the_rules(tensors, rest):
    """PyTorch's opcheck: schemas, strides and shapes of fake tensors, gradients, dynamic shapes."""
    x, y = tensors(2, 4, 2), tensors(2, 3, 2)
    lengths = torch.tensor([4, 2])
    check = torch.library.opcheck
    signature = OPERATORS.signature.default
    check(signature, (x, None, 2, False, *rest), test_utils=CHECKS)
    check(signature, (x.detach().transpose(0, 1), None, 2, True, *rest), test_utils=CHECKS)
    s = signature(x, lengths, 2, False, *rest).detach()
    check(OPERATORS.sig_backprop.default, (s, x.detach(), lengths, 2, False, *rest), test_utils=CHECKS)
    for grid, orders in ((False, (0, 0)), (True, (1, 2))):
        arguments = (None, None, grid, *orders, *rest)
        check(OPERATORS.sigkernel.default, (x, y, *arguments), test_utils=CHECKS)
        check(OPERATORS.sigkernel.default, (tensors(2, 1, 4, 2), y, *arguments), test_utils=CHECKS)
        k = OPERATORS.sigkernel.default(x, y, *arguments).detach()
        for wrt in ("both", "x", "y"):
            gradient = (k, x.detach(), y.detach(), None, None, wrt, grid, *orders, *rest)
            check(OPERATORS.sigkernel_backprop.default, gradient, test_utils=CHECKS)
    check(OPERATORS.sigkernel_gram.default, (x, y, lengths, None, 1, 0, *rest), test_utils=CHECKS)
    check(OPERATORS.sigkernel_gram.default, (x, None, lengths, None, 1, 1, *rest), test_utils=CHECKS)
    ones = torch.ones(2, 2, dtype=torch.float64)
    for second in (None, y.detach()):
        gradient = (ones, x.detach(), second, None, None, "both", 1, 1, *rest)
        check(OPERATORS.sigkernel_gram_backprop.default, gradient, test_utils=CHECKS)


@pytest.mark.filterwarnings("ignore")
def test_transforms_keep_the_rules(tensors):
    x, lengths = tensors(2, 5, 4), torch.tensor([5, 2])
    check = torch.library.opcheck
    check(OPERATORS.time_augment.default, (x, lengths, 2.0), test_utils=CHECKS)
    check(OPERATORS.time_augment_backprop.default, (x, lengths), test_utils=CHECKS)
    check(OPERATORS.lead_lag.default, (x, lengths, True), test_utils=CHECKS)
    check(OPERATORS.lead_lag_backprop.default, (x, None, False), test_utils=CHECKS)


def everything(x, y):
    """One of each, as a user writes them."""
    s = gt.signature(torch.tanh(x), 2, time_aug=True, scalar_term=True)
    k = gt.sigkernel(x, y, dyadic_order=(1, 0), lead_lag=True)
    grid = gt.sigkernel(x, y, return_grid=True, x_lengths=torch.tensor([2, 4, 3]))
    gram = gt.sigkernel_gram(x, y) @ gt.sigkernel_gram(y, lead_lag="lag_first", y_lengths=None)
    ragged = gt.sigkernel_gram([x[0], y[1]])
    moved = gt.time_augment(gt.lead_lag(x), end_time=3.0)
    return s.sum() + k.sum() + grid.nan_to_num().sum() + gram.sum() + ragged.sum() + moved.square().sum()


def gradients(function, *tensors):
    result = function(*tensors)
    return [result.detach(), *torch.autograd.grad(result, tensors)]


@pytest.mark.filterwarnings("ignore")  # of PyTorch's compiler, about itself
@pytest.mark.parametrize(("backend", "dynamic"), [("aot_eager", False), ("aot_eager", True), ("inductor", True)])
def test_compile(tensors, backend, dynamic):
    torch._dynamo.reset()
    compiled = torch.compile(everything, fullgraph=True, backend=backend, dynamic=dynamic)
    for points in (4, 6) if dynamic else (4,):
        x, y = tensors(3, points, 2), tensors(3, points - 1, 2)
        for ours, expected in zip(gradients(compiled, x, y), gradients(everything, x, y)):
            torch.testing.assert_close(ours, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.filterwarnings("ignore")
def test_compile_losses(tensors):
    torch._dynamo.reset()
    x, y = tensors(3, 4, 2), tensors(4, 5, 2)
    for loss in (gt.SigKernelMMD(time_aug=True), gt.SigKernelScore(biased=True)):
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        for ours, expected in zip(gradients(compiled, x, y), gradients(loss, x, y)):
            torch.testing.assert_close(ours, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.filterwarnings("ignore")
def test_compile_functional_gradients(tensors):
    torch._dynamo.reset()
    x = tensors(3, 4, 2, requires_grad=False)
    for function in (
        torch.func.grad(lambda x: gt.sigkernel_gram(x).square().sum()),
        torch.func.vmap(lambda x: gt.signature(x, 2)),
    ):
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x), function(x), rtol=1e-13, atol=1e-13)


VMAPPED = {
    "signature": lambda x, y: gt.signature(x, 2, lead_lag=True) + gt.signature(y, 2, lead_lag=True).sum(),
    "sigkernel": lambda x, y: gt.sigkernel(x, y, dyadic_order=1),
    "grid": lambda x, y: gt.sigkernel(x, y, return_grid=True),
    "gram": lambda x, y: gt.sigkernel_gram(x, y),
    "symmetric gram": lambda x, y: gt.sigkernel_gram(x, time_aug=True) + y.sum(),
    "transforms": lambda x, y: gt.time_augment(gt.lead_lag(x)) * y.sum(),
}


@pytest.mark.parametrize("name", VMAPPED)
@pytest.mark.parametrize("in_dims", [(0, 0), (1, None), (None, 2)])
def test_vmap(tensors, name, in_dims):
    """A mapped call is a stack of plain ones; a path that is not mapped is the same for all of them."""
    function = VMAPPED[name]
    x, y = (tensors(5, 3, n, 2, requires_grad=False) for n in (4, 6))
    given = [v[0] if dim is None else v.movedim(0, dim) for v, dim in zip((x, y), in_dims)]
    entries = [[v[0] if dim is None else v[b] for v, dim in zip((x, y), in_dims)] for b in range(5)]
    expected = torch.stack([function(*entry) for entry in entries])
    torch.testing.assert_close(torch.func.vmap(function, in_dims)(*given), expected, rtol=0, atol=0)

    def loss(x, y):
        return function(x, y).square().sum()

    mapped = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims)(*given)
    alone = [torch.func.grad(loss, argnums=(0, 1))(*entry) for entry in entries]
    for ours, theirs in zip(mapped, zip(*alone)):
        torch.testing.assert_close(ours, torch.stack(theirs), rtol=1e-12, atol=1e-12)


def test_vmap_over_pairs_that_broadcast(tensors):
    x, y = tensors(5, 4, 2, requires_grad=False), tensors(3, 6, 2, requires_grad=False)
    pairs = torch.func.vmap(lambda a: gt.sigkernel(a, y))(x)
    assert torch.equal(pairs, gt.sigkernel_gram(x, y))
    lengths = torch.tensor([4, 1, 2, 3, 4])
    mapped = torch.func.vmap(lambda a, n: gt.sigkernel(a, y, x_lengths=n))(x, lengths)
    assert torch.equal(mapped, gt.sigkernel_gram(x, y, x_lengths=lengths))
    mapped = torch.func.vmap(lambda n: gt.signature(x[0], 2, lengths=n))(lengths)
    assert torch.equal(mapped, gt.signature(x[:1].expand(5, 4, 2), 2, lengths=lengths))


def test_jacobian_of_many_paths(tensors):
    """torch.func.jacrev maps the gradient over the rows of the Jacobian."""
    x = tensors(3, 4, 2, requires_grad=False)
    for function in (lambda x: gt.signature(x, 2), lambda x: gt.sigkernel(x, x[:1], return_grid=True)[..., -1]):
        expected = torch.autograd.functional.jacobian(function, x)
        torch.testing.assert_close(torch.func.jacrev(function)(x), expected, rtol=1e-12, atol=1e-12)


def test_vmap_over_nothing():
    x = torch.zeros(0, 2, 3, 2)
    assert torch.func.vmap(gt.sigkernel_gram)(x).shape == (0, 2, 2)
    assert torch.func.vmap(torch.func.grad(lambda x: gt.sigkernel_gram(x).sum()))(x).shape == x.shape
    assert torch.func.vmap(lambda x: gt.signature(x, 2))(x).shape == (0, 2, 6)

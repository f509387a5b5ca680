"""What is wrong is said in a sentence, by ValueError or by TypeError."""

import numpy as np
import pytest

import goursat

PATH = np.zeros((3, 4, 2))
ONE = np.ones(3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: goursat.signature(np.zeros(4), 2), r"path has shape \(4,\); expected \(\.\.\., length, channels\)"),
        (lambda: goursat.signature(1.0, 2), r"path has shape \(\)"),
        (lambda: goursat.signature([], 2), "path is empty"),
        (lambda: goursat.signature(PATH, 0), "degree is 0"),
        (lambda: goursat.signature(PATH, -1), "degree is -1; expected 0 or more"),
        (lambda: goursat.signature(PATH, 2**70), "degree is 1180591620717411303424"),
        (lambda: goursat.signature(PATH, 100), "goursat_signature_length: "),
        (lambda: goursat.signature(PATH[:, :0], 2), "length is 0"),
        (lambda: goursat.signature(PATH[:, :, :0], 2), "dim is 0"),
        (lambda: goursat.signature(PATH[:, :, :0][:0], 2), "dim is 0"),
        (lambda: goursat.signature([PATH[0], PATH[0, :0]], 2), "x_lengths.1. is 0"),
        (
            lambda: goursat.signature([PATH[0], PATH[0, :, :1]], 2),
            r"path\[1\] has shape \(4, 1\); expected \(length, 2\)",
        ),
        (lambda: goursat.signature([PATH[0], PATH[0, 0]], 2), r"path\[1\] has shape \(2,\)"),
        (lambda: goursat.signature(PATH, 2, lengths=[4, 5, 1]), r"x_lengths\[1\] is 5; expected 1 to 4"),
        (lambda: goursat.signature(PATH, 2, lengths=[4, 0, 1]), r"x_lengths\[1\] is 0"),
        (lambda: goursat.signature(PATH, 2, lengths=[4, -1, 1]), r"x_lengths\[1\] is -1"),
        (lambda: goursat.signature(PATH, 2, lengths=[4, 1]), r"path_lengths has shape \(2,\); expected \(3,\)"),
        (lambda: goursat.signature([PATH[0]], 2, lengths=[4]), "path is a list"),
        (lambda: goursat.signature(PATH, 2, time_aug=True, end_time=0), "end_time is 0"),
        (lambda: goursat.signature(PATH, 2, time_aug=True, end_time=np.inf), "end_time is inf"),
        (lambda: goursat.signature(PATH, 2, time_aug=True, end_time=np.nan), "end_time is NaN"),
        (
            lambda: goursat.signature(PATH, 2, lead_lag="lead"),
            "lead_lag is 'lead'; expected False, True or \"lag_first\"",
        ),
        (lambda: goursat.signature(PATH, 2, lead_lag=[1]), "lead_lag is"),
        (lambda: goursat.signature(PATH, 2, n_threads=-1), "n_threads is -1"),
        (
            lambda: goursat.signature(PATH, 2, n_threads=2**40),
            "n_threads is 1099511627776; expected 0 or more, at most",
        ),
        (lambda: goursat.sig_backprop(ONE, PATH, 2), r"grad has shape \(3,\); expected \(3, 6\)"),
        (lambda: goursat.sigkernel(PATH, PATH[..., :1]), "y has 1 channels and x has 2; expected the same number"),
        (lambda: goursat.sigkernel(PATH, PATH[:2]), r"the batch axes of x, \(3,\), and of y, \(2,\), do not broadcast"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=17), "x_order is 17; expected at most 16"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=(0, 17)), "y_order is 17"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=-1), "dyadic_order is -1"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=(0, -1)), r"dyadic_order\[1\] is -1"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=2**32), "dyadic_order is 4294967296"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=(1, 2, 3)), r"dyadic_order is \(1, 2, 3\)"),
        (lambda: goursat.sigkernel(PATH, PATH, y_lengths=[5, 1, 1]), r"y_lengths\[0\] is 5"),
        (lambda: goursat.sigkernel_backprop(np.ones(2), PATH, PATH), r"grad has shape \(2,\); expected \(3,\)"),
        (
            lambda: goursat.sigkernel_backprop(np.ones((3, 2)), PATH, PATH, return_grid=True),
            r"grad has shape \(3, 2\); expected \(3, 4, 4\)",
        ),
        (lambda: goursat.sigkernel_backprop(ONE, PATH, PATH, wrt="z"), "wrt is 'z'"),
        (lambda: goursat.sigkernel_gram(PATH[0]), r"x has shape \(4, 2\); expected \(batch, length, channels\)"),
        (lambda: goursat.sigkernel_gram(PATH, PATH[None]), r"y has shape \(1, 3, 4, 2\)"),
        (lambda: goursat.sigkernel_gram(PATH, dyadic_order=(1, 2)), "expected equal orders"),
        (lambda: goursat.sigkernel_gram(PATH, y_lengths=[1, 1, 1]), "y_lengths are given without y"),
        (lambda: goursat.sigkernel_gram_backprop(1.0, PATH, wrt="y"), 'wrt is "y" and y is None'),
        (lambda: goursat.signature_length(0, 2), "dim is 0"),
        (lambda: goursat.signature_length(2, 0), "degree is 0"),
        (lambda: goursat.signature_length(10, 100), "goursat_signature_length: "),
        (lambda: goursat.time_augment_backprop(np.zeros((3, 1))), "grad has 1 channels; expected at least 2"),
        (lambda: goursat.lead_lag_backprop(np.zeros((4, 2))), "grad has 4 points of 2 channels; expected 2L - 1 of 2d"),
        (lambda: goursat.lead_lag_backprop(np.zeros((3, 3))), "grad has 3 points of 3 channels"),
        (lambda: goursat.lead_lag_backprop([np.zeros((3, 2))], lengths=[2]), "grad is a list"),
        (lambda: goursat.lead_lag(PATH, lengths=[9, 9, 9]), r"x_lengths\[0\] is 9"),
    ],
)
def test_values(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: goursat.signature(PATH.astype(complex), 2), "path has dtype complex128; expected real numbers"),
        (lambda: goursat.signature(PATH.astype(object), 2), "path has dtype object"),
        (lambda: goursat.signature(PATH.astype(str), 2), "path has dtype <U"),
        (lambda: goursat.signature([PATH[0].astype(complex)], 2), r"path\[0\] has dtype complex128"),
        (lambda: goursat.signature(PATH.astype("M8[s]"), 2), "path has dtype datetime64"),
        (lambda: goursat.signature(PATH, 2.0), r"degree is 2\.0; expected an integer"),
        (lambda: goursat.signature(PATH, "2"), "degree is '2'"),
        (
            lambda: goursat.signature(PATH, 2, lengths=[1.0, 2.0, 3.0]),
            "path_lengths has dtype float64; expected integers",
        ),
        (lambda: goursat.signature(PATH, 2, n_threads=1.5), "n_threads is 1.5"),
        (lambda: goursat.signature(PATH, 2, n_threads=[1]), r"n_threads is \[1\]"),
        (lambda: goursat.signature(PATH, 2, end_time="1 s"), "end_time is '1 s'"),
        (lambda: goursat.signature(PATH, 2, end_time=[1]), r"end_time is \[1\]"),
        (lambda: goursat.signature(PATH, 2, progress="bar"), "progress is 'bar'"),
        (lambda: goursat.sig_backprop(np.ones((3, 6), complex), PATH, 2), "grad has dtype complex128"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=1.0), r"dyadic_order is 1\.0"),
        (lambda: goursat.sigkernel(PATH, PATH, dyadic_order=(1, None)), r"dyadic_order\[1\] is None"),
        (lambda: goursat.sigkernel(PATH, PATH, x_lengths=[True] * 3), "x_lengths has dtype bool"),
        (lambda: goursat.sigkernel_backprop(1j, PATH, PATH), "grad has dtype complex128"),
        (lambda: goursat.signature_length("a", 2), "dim is 'a'"),
    ],
)
def test_types(call, sentence):
    with pytest.raises(TypeError, match=sentence):
        call()


def test_too_much_memory():
    huge = np.broadcast_to(np.zeros((1, 2, 1)), (2**50, 2, 1))
    with pytest.raises(MemoryError):
        goursat.signature(huge, 8)


def test_the_sentence_is_the_last_error_of_this_thread():
    with pytest.raises(ValueError, match="degree is 0"):
        goursat.signature(PATH, 0)
    with pytest.raises(ValueError, match=r"^goursat_sigkernel_f64: .*x_order is 20"):
        goursat.sigkernel(PATH, PATH, dyadic_order=20)
    with pytest.raises(ValueError, match=r"^goursat_sigkernel_f32: "):
        goursat.sigkernel(PATH.astype("f4"), PATH.astype("f4"), dyadic_order=20)

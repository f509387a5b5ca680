"""Pipelines, searches, support vectors, ridge regression and Gaussian processes on arrays and on ragged lists."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

import goursat
import goursat.sklearn as gs

OPTIONS = {"time_aug": True, "lead_lag": True}


@pytest.fixture
def motions(rng):
    """Paths of two kinds that their area tells apart, turning left or right: as an array, and with unequal lengths."""
    labels = np.arange(40) % 2
    angles = np.linspace(0, np.pi, 12) * np.where(labels, 1, -1)[:, None]
    paths = np.stack([np.cos(angles), np.sin(angles)], -1) + 0.3 * rng.normal(size=(40, 12, 2))
    turns = rng.uniform(0, 2 * np.pi, 40)
    rotation = np.stack([np.cos(turns), -np.sin(turns), np.sin(turns), np.cos(turns)], -1).reshape(40, 2, 2)
    paths = paths @ rotation
    return paths, [path[: 8 + b % 5] for b, path in enumerate(paths)], labels


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(gs.SignatureTransformer(2, **OPTIONS), StandardScaler(), LogisticRegression()),
        make_pipeline(gs.SignatureTransformer(3), SVC()),
        make_pipeline(gs.SignatureKernel(scale=0.5), SVC(kernel="precomputed")),
        make_pipeline(gs.SignatureKernel(normalize=True, time_aug=True), SVC(kernel="precomputed")),
        make_pipeline(
            gs.PathObjects(), GaussianProcessClassifier(gs.SignatureCovariance(0.5, "fixed", dyadic_order=1))
        ),
        SVC(kernel=gs.SignatureKernel(scale=0.5)),
    ],
    ids=lambda model: type(model).__name__ if isinstance(model, SVC) else "-".join(model.named_steps),
)
def test_classification(motions, model, ragged):
    paths, lists, labels = motions
    scores = cross_val_score(clone(model), lists if ragged else paths, labels, cv=4, error_score="raise")
    assert scores.mean() > 0.8
    shuffled = np.random.default_rng(1).permutation(labels)
    assert cross_val_score(clone(model), lists if ragged else paths, shuffled, cv=4).mean() < 0.75


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of a constant at its bound
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(gs.SignatureKernel(scale=0.5), KernelRidge(kernel="precomputed", alpha=0.1)),
        SVR(kernel=gs.SignatureKernel(scale=0.5), C=10.0),
        make_pipeline(
            gs.PathObjects(),
            GaussianProcessRegressor(
                ConstantKernel() * gs.SignatureCovariance(0.5, (0.05, 2.0), dyadic_order=2) + WhiteKernel(0.1),
                normalize_y=True,
            ),
        ),
    ],
    ids=["KernelRidge", "SVR", "GaussianProcessRegressor"],
)
def test_regression(motions, model, ragged):
    """What is to be found is the signed area, a linear functional of the signature."""
    paths, lists, _ = motions
    given = lists if ragged else paths
    areas = np.array([goursat.signature(path, 2)[3] - goursat.signature(path, 2)[4] for path in given])
    assert cross_val_score(clone(model), given, areas, cv=4, scoring="r2", error_score="raise").mean() > 0.6


def test_grid_search(motions):
    paths, lists, labels = motions
    features = make_pipeline(gs.SignatureTransformer(), StandardScaler(), LogisticRegression())
    grid = {"signaturetransformer__degree": [1, 2], "signaturetransformer__lead_lag": [False, "lag_first"]}
    search = GridSearchCV(features, grid, cv=3, error_score="raise").fit(lists, labels)
    assert search.best_params_["signaturetransformer__degree"] == 2 and search.best_score_ > 0.8
    precomputed = make_pipeline(gs.SignatureKernel(), SVC(kernel="precomputed"))
    grid = {"signaturekernel__scale": [1e-3, 0.5], "signaturekernel__normalize": [True], "svc__C": [1.0, 10.0]}
    search = GridSearchCV(precomputed, grid, cv=3, error_score="raise", n_jobs=2).fit(paths, labels)
    assert search.best_params_["signaturekernel__scale"] == 0.5
    called = GridSearchCV(SVC(kernel=gs.SignatureKernel()), {"kernel__scale": [1e-3, 0.5]}, cv=3, error_score="raise")
    assert called.fit(lists, labels).best_params_["kernel__scale"] == 0.5


def test_the_signatures(motions):
    paths, lists, _ = motions
    transformer = gs.SignatureTransformer(3, scalar_term=True, **OPTIONS, n_jobs=2)
    expected = goursat.signature(paths, 3, scalar_term=True, **OPTIONS)
    np.testing.assert_array_equal(transformer.fit_transform(paths), expected)
    np.testing.assert_array_equal(
        transformer.fit(lists).transform(lists), goursat.signature(lists, 3, scalar_term=True, **OPTIONS)
    )
    assert transformer.transform(paths.astype(np.float32)).dtype == np.float32
    table = paths[:, :, 0]
    np.testing.assert_array_equal(
        gs.SignatureTransformer(2).fit_transform(table), goursat.signature(paths[:, :, :1], 2)
    )


def test_the_kernels(motions):
    paths, lists, _ = motions
    kernel = gs.SignatureKernel(scale=0.5, dyadic_order=1, **OPTIONS)
    expected = goursat.sigkernel_gram(0.5 * paths, dyadic_order=1, **OPTIONS)
    np.testing.assert_array_equal(kernel(paths), expected)
    np.testing.assert_array_equal(kernel.fit_transform(paths), expected)
    np.testing.assert_array_equal(kernel.transform(paths[:3]), expected[:3])
    np.testing.assert_array_equal(kernel(paths[:3], paths), expected[:3])
    half = [0.5 * path for path in lists]
    np.testing.assert_array_equal(kernel(lists), goursat.sigkernel_gram(half, dyadic_order=1, **OPTIONS))
    normalized = clone(kernel).set_params(normalize=True)
    roots = np.sqrt(np.diagonal(expected))
    for result in (normalized(paths), normalized.fit_transform(paths), normalized.fit(paths).transform(paths)):
        np.testing.assert_allclose(result, expected / np.outer(roots, roots), rtol=1e-12)
    covariance = gs.SignatureCovariance(0.5, dyadic_order=1, **OPTIONS)
    np.testing.assert_allclose(covariance(paths), normalized(paths), rtol=1e-12)
    np.testing.assert_allclose(covariance(paths[:3], lists), normalized(paths[:3], lists), rtol=1e-12)
    np.testing.assert_array_equal(covariance.diag(paths), np.ones(40))
    plain = gs.SignatureCovariance(0.5, normalize=False, dyadic_order=1, **OPTIONS)
    np.testing.assert_allclose(plain.diag(lists), np.diagonal(kernel(lists)), rtol=1e-12)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
def test_gradient_of_the_covariance(motions, monkeypatch, normalize, ragged):
    """Held to central differences in the logarithm of the scale, whatever the size of blocks."""
    monkeypatch.setattr("goursat.sklearn._matrix._AT_ONCE", 100)
    given = motions[1 if ragged else 0][:7]
    kernel = gs.SignatureCovariance(0.7, normalize=normalize, dyadic_order=1, **OPTIONS)
    value, gradient = kernel(given, eval_gradient=True)
    np.testing.assert_array_equal(value, kernel(given))
    step = 1e-5
    above, below = (kernel.clone_with_theta(kernel.theta + sign * step)(given) for sign in (1, -1))
    np.testing.assert_allclose(gradient[..., 0], (above - below) / (2 * step), rtol=1e-7, atol=1e-8)
    fixed = gs.SignatureCovariance(0.7, "fixed", normalize=normalize)
    assert fixed(given, eval_gradient=True)[1].shape == (7, 7, 0)
    with pytest.raises(ValueError, match="Y is None"):
        kernel(given, given, eval_gradient=True)


def test_the_scale_is_fitted(motions):
    paths, _, _ = motions
    areas = goursat.signature(paths, 2) @ [0, 0, 0, 0.5, -0.5, 0]
    kernel = gs.SignatureCovariance(0.1, dyadic_order=2) + WhiteKernel(0.1)
    model = make_pipeline(gs.PathObjects(), GaussianProcessRegressor(kernel, normalize_y=True)).fit(paths, areas)
    fitted = model[-1].kernel_
    assert 0.2 < fitted.k1.scale < 2 and "SignatureCovariance(scale=" in repr(fitted)
    assert model[-1].log_marginal_likelihood_value_ > model[-1].log_marginal_likelihood(kernel.theta)
    mean, deviation = model.predict(paths[:3], return_std=True)
    assert mean.shape == deviation.shape == (3,) and (deviation > 0).all()


def test_padding(motions):
    """Rows of NaN after a path's last point, as tslearn pads, are no points."""
    _, lists, _ = motions
    padded = np.full((40, 12, 2), np.nan)
    for row, path in zip(padded, lists):
        row[: len(path)] = path
    transformer, kernel = gs.SignatureTransformer(2), gs.SignatureKernel(time_aug=True, normalize=True)
    np.testing.assert_array_equal(transformer.fit_transform(padded), transformer.fit_transform(lists))
    np.testing.assert_array_equal(kernel.fit_transform(padded), kernel.fit_transform(lists))
    covariance = gs.SignatureCovariance()
    for ours, expected in zip(covariance(padded[:5], eval_gradient=True), covariance(lists[:5], eval_gradient=True)):
        np.testing.assert_array_equal(ours, expected)


def test_forms_of_lists(motions):
    _, lists, _ = motions
    transformer = gs.SignatureTransformer(2).fit(lists)
    expected = transformer.transform(lists)
    objects = np.empty(40, object)
    objects[:] = lists
    wrapped = gs.PathObjects().fit_transform(lists)
    for given in (tuple(lists), objects, wrapped, [path.tolist() for path in lists]):
        np.testing.assert_array_equal(transformer.transform(given), expected)
    assert wrapped[0] == gs.Path(lists[0]) and wrapped[0] != wrapped[1] and hash(wrapped[0]) == hash(gs.Path(lists[0]))


def test_names():
    x = np.random.default_rng(0).normal(size=(3, 5, 2))
    transformer = gs.SignatureTransformer(2).fit(x)
    assert transformer.get_feature_names_out().tolist() == [
        "S(x0)",
        "S(x1)",
        *(f"S(x{i},x{j})" for i in "01" for j in "01"),
    ]
    assert transformer.get_feature_names_out(["a", "b"])[-1] == "S(b,b)"
    for lead_lag, first in ((True, "lead"), ("lag_first", "lag")):
        named = gs.SignatureTransformer(1, lead_lag=lead_lag, time_aug=True, scalar_term=True).fit(x)
        names = named.get_feature_names_out()
        assert names[0] == "S()" and names[1] == f"S({first}(x0))" and names[-1] == "S(time)"
        assert len(names) == named.transform(x).shape[1]
    with pytest.raises(ValueError, match="input_features should have length equal"):
        transformer.get_feature_names_out(["a"])
    frame = transformer.set_output(transform="pandas").transform(x)
    assert frame.columns[2] == "S(x0,x0)" and frame.shape == (3, 6)
    kernels = gs.SignatureKernel().set_output(transform="pandas").fit(x).transform(x[:2])
    assert kernels.columns.tolist() == ["signaturekernel0", "signaturekernel1", "signaturekernel2"]
    frames = gs.SignatureTransformer(1).fit(frame)  # a table: six points in one channel
    assert frames.feature_names_in_[2] == "S(x0,x0)" and frames.get_feature_names_out().tolist() == ["S(x0)"]


@pytest.mark.parametrize(
    "estimator",
    [
        gs.SignatureTransformer(2, lead_lag=True, n_jobs=2),
        gs.SignatureKernel(scale=0.5, normalize=True),
        gs.PathObjects(),
        gs.SignatureCovariance(0.3, (0.1, 1.0), time_aug=True),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_clone_parameters_and_pickling(motions, estimator):
    copy = (
        clone(estimator) if not isinstance(estimator, gs.SignatureCovariance) else clone(SVC(kernel=estimator)).kernel
    )
    assert copy.get_params() == estimator.get_params()
    paths, lists, _ = motions
    if isinstance(estimator, gs.SignatureCovariance):
        results = [kernel(lists) for kernel in (estimator, pickle.loads(pickle.dumps(estimator)))]
    else:
        fitted = clone(estimator).fit(lists)
        results = [model.transform(paths) for model in (fitted, pickle.loads(pickle.dumps(fitted)))]
    np.testing.assert_array_equal(*results)


def test_threads(monkeypatch):
    """As scikit-learn counts them: None is one, and what a joblib context says."""
    import joblib

    from goursat.sklearn._batch import threads

    assert threads(None) == 1 and threads(3) == 3 and threads(-1) == joblib.cpu_count()
    with joblib.parallel_config(n_jobs=2, backend="threading"):
        assert threads(None) == 2


PATHS = np.zeros((3, 4, 2))
HOLE = np.where(np.arange(4)[:, None] == 1, np.nan, PATHS)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda f: f(np.zeros((3, 4, 2, 1))), r"X has shape \(3, 4, 2, 1\); expected \(paths, length, channels\)"),
        (lambda f: f(PATHS[:, :0]), r"X has shape \(3, 0, 2\); expected 1 or more"),
        (lambda f: f(HOLE), "Input X contains NaN or infinity; expected finite numbers, and NaN only in whole rows"),
        (lambda f: f(PATHS * np.nan), "Input X contains NaN"),
        (lambda f: f(PATHS + np.inf), "Input X contains NaN or infinity"),
        (lambda f: f(PATHS[:0]), "Found array with 0 sample"),
        (lambda f: f([PATHS[0], PATHS[0, :, :1]]), r"X\[1\] has shape \(4, 1\); expected \(length, 2\)"),
        (lambda f: f([PATHS[0], PATHS[0, :0]]), "0 sample"),
        (lambda f: f([PATHS[0], PATHS[0] + np.nan]), r"X\[1\] contains NaN|Input X\[1\]"),
        (lambda f: f(PATHS.astype(complex)), "Complex data not supported"),
    ],
)
def test_errors(call, sentence):
    for estimator in (gs.SignatureTransformer(), gs.SignatureKernel(), gs.PathObjects()):
        with pytest.raises(ValueError, match=sentence):
            call(estimator.fit)
    with pytest.raises(ValueError, match=sentence):
        call(gs.SignatureCovariance())


def test_errors_of_parameters():
    with pytest.raises(ValueError, match="X has 1 channels, but SignatureKernel was fitted on 2"):
        gs.SignatureKernel().fit(PATHS).transform(PATHS[..., :1])
    with pytest.raises(ValueError, match="degree is 0"):
        gs.SignatureTransformer(0).fit(PATHS)
    with pytest.raises(ValueError, match="lead_lag is 'lead'"):
        gs.SignatureKernel(lead_lag="lead").fit_transform(PATHS)
    coarse = np.array([[[-1.0, -2.0], [0.0, -1.0], [0.0, 2.0], [2.0, 0.0], [2.0, 1.0], [0.0, 0.0]]])
    assert goursat.sigkernel(coarse[0], coarse[0]) < 0
    for call in (gs.SignatureKernel(normalize=True).fit, gs.SignatureKernel(normalize=True), gs.SignatureCovariance()):
        with pytest.raises(ValueError, match=r"norm of the signature of path . is .*; expected a positive number"):
            call(coarse)
    covariance, gradient = gs.SignatureCovariance()(coarse, eval_gradient=True)
    assert covariance > 1e99 and not gradient.any()
    with pytest.raises(ValueError, match="expected equal orders"):
        gs.SignatureKernel(dyadic_order=(0, 1)).fit_transform(PATHS)

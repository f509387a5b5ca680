"""Signatures and signature kernels in scikit-learn: pipelines, grid search, support vectors, Gaussian processes.

Estimators take paths in any of these forms, and lists of paths of different lengths go through pipelines, splits and
searches as arrays do:

- an array (n, L, d), n paths of L points in d channels. Rows of NaN after a path's last point are padding;
- a list of n arrays (L_b, d), or an array of n such objects: a ragged batch;
- a table (n, L), also a data frame: n paths of L points in one channel.

>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.svm import SVC
>>> rng = np.random.default_rng(0)
>>> x = [rng.normal(size=(rng.integers(5, 9), 2)).cumsum(0) * (1 + b % 2) / 3 for b in range(20)]
>>> y = [b % 2 for b in range(20)]
>>> model = make_pipeline(goursat.sklearn.SignatureTransformer(2, time_aug=True, lead_lag=True), SVC()).fit(x, y)
>>> model.score(x, y) > 0.8
True
"""

from .._extras import missing

try:
    from sklearn.utils.validation import validate_data as _validate_data  # noqa: F401  (1.6 brought it)
except ImportError:
    raise missing("goursat.sklearn", "scikit-learn 1.6 or later", "sklearn") from None

from ._covariance import SignatureCovariance
from ._kernel import SignatureKernel
from ._objects import Path, PathObjects
from ._transformer import SignatureTransformer

__all__ = ["Path", "PathObjects", "SignatureCovariance", "SignatureKernel", "SignatureTransformer"]

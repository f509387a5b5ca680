"""scikit-learn's own checks. They give tables (n, L): paths of L points in one channel."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import goursat.sklearn as gs

OBJECTS = "the result is an array of objects, which the check subtracts as numbers"

#: Checks that an estimator fails, and why that is right.
EXPECTED = {
    "PathObjects": {
        "check_estimators_pickle": OBJECTS,
        "check_fit_idempotent": OBJECTS,
        "check_methods_sample_order_invariance": OBJECTS,
        "check_methods_subset_invariance": OBJECTS,
        "check_pipeline_consistency": OBJECTS,
        "check_transformer_data_not_an_array": OBJECTS,
        "check_transformer_general": OBJECTS,
        "check_transformer_preserve_dtypes": "the result is an array of objects, whose type is that of no path",
    },
}


@pytest.mark.filterwarnings("ignore:.*check_array_api_input")
@parametrize_with_checks(
    [
        gs.SignatureTransformer(2),
        gs.SignatureTransformer(2, time_aug=True, lead_lag=True, scalar_term=True),
        gs.SignatureKernel(),
        gs.SignatureKernel(normalize=True, scale=0.5, time_aug=True),
        gs.PathObjects(),
    ],
    expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {}),
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)

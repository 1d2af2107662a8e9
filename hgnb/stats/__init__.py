"""Measured numbers: estimates with intervals, from seeds and photographs at once, and what they decide.

Networks of several seeds are judged on the same photographs, and the persons of a photograph resemble each other: so
seeds and photographs are two crossed random factors, and an interval says what other seeds on other photographs would
give. `benchmarks/coverage.py` shows by simulation how often these intervals hold the true value.
"""

from hgnb.stats.crossing import correlation, crossed, floored_ratio, pck, pck_difference, resamples
from hgnb.stats.decisions import Test, above, below, every, holm, near, verdicts, within
from hgnb.stats.estimate import UNKNOWN, Estimate, among, student, welch
from hgnb.stats.separation import auc, cross_fitted_auc, cross_fitted_correlation, dealt, folds, halves, together

__all__ = [
    "UNKNOWN", "Estimate", "Test", "above", "among", "auc", "below", "correlation", "cross_fitted_auc",
    "cross_fitted_correlation", "crossed", "dealt", "every", "floored_ratio", "folds", "halves", "holm",
    "near", "pck", "pck_difference", "resamples", "student", "together", "verdicts", "welch", "within",
]  # fmt: skip

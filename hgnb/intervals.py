"""Names that rooms use until they read hgnb.stats themselves."""

from hgnb.stats import Estimate as Interval
from hgnb.stats import crossed as bootstrap
from hgnb.stats import holm, pck_difference, resamples
from hgnb.stats import pck as pooled_pck
from hgnb.stats.estimate import student as over_seeds

__all__ = ["Interval", "bootstrap", "holm", "over_seeds", "pck_difference", "pooled_pck", "resamples"]

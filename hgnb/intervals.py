"""Names that rooms use until they read hgnb.stats themselves."""

from hgnb.stats import Estimate as Interval
from hgnb.stats import crossed as bootstrap
from hgnb.stats import holm, pck_difference, resamples
from hgnb.stats import pck as pooled_pck

__all__ = ["Interval", "bootstrap", "holm", "pck_difference", "pooled_pck", "resamples"]

"""Measures of a pose: PCK and its curve, PCKh, OKS and what COCO averages from it. Explained in 02_experiment.

The thesis's PCK is what training needs, so its names stand here; the standard measures have rooms of their own.
"""

from hgnb.metrics.keypoints_found import PckConfig, distances, found, pck, pck_by_keypoint, peaks

__all__ = ["PckConfig", "distances", "found", "pck", "pck_by_keypoint", "peaks"]

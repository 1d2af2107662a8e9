"""The thesis's five results in one look, each with its interval. 00_claims."""

from dataclasses import dataclass

from hgnb import stats
from hgnb.analysis import posture
from hgnb.claims.study import Study
from hgnb.stats import Estimate
from hgnb.training.experiment import Experiment


@dataclass(frozen=True)
class Findings:
    """The thesis's five results, one interval each; NaN where the data can't say. Thesis 8.1; 00_claims."""

    test_pck: Estimate  # of the original hourglass, all labelled keypoints
    with_skips: Estimate  # its PCK in training
    without_skips: Estimate
    sitting: Estimate  # AUC of the first component, fully labelled persons, sign chosen on other photographs
    labelled: Estimate  # AUC of the number of labelled keypoints between two clusters of the sample
    gain: Estimate  # test PCK of the modified hourglass less that of the original, paired


def five(experiment: Experiment) -> Findings:
    """Trains what isn't trained yet. The chapters measure the same in more detail."""
    study = Study(experiment, {"hourglass": experiment.hourglass(), "modified": experiment.modified()})
    before, after = (study.scores(name).hits for name in ("hourglass", "modified"))
    counted, images, at = study.test.visibility > 0, study.test.image_ids, study.full.positions
    seated = posture.postures(study.train, study.prepared.schema).sitting[at]
    first = study.parts.scores(1)[:, :1].sum(1)  # zeros where nothing varies
    return Findings(
        test_pck=stats.pck(before, counted, images),
        with_skips=study.skips.pooled(study.skips.on),
        without_skips=study.skips.pooled(study.skips.off),
        sitting=stats.cross_fitted_auc(first, seated, study.train.image_ids[at], seed=study.seed),
        labelled=study.by_labels.separation,
        gain=stats.pck_difference(after, before, counted, images),
    )

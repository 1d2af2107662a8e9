"""The five results of the first page against what the training stages report of the same runs."""

import numpy as np
import pytest

from hgnb.claims import study
from hgnb.metrics import pck


def test_results_are_those_of_the_stages(trained):
    experiment, _ = trained
    found = study.five(experiment)
    before, after = (experiment.stage(name)["pck"]["test"] for name in ("hourglass", "modified"))
    assert found.test_pck.value == pytest.approx(before)
    assert found.gain.value == pytest.approx(after - before)
    assert found.gain.low <= found.gain.value <= found.gain.high
    train, reader = experiment.prepared().split("train"), experiment.reader(experiment.hourglass())
    for skips, interval in ((True, found.with_skips), (False, found.without_skips)):
        predictions = reader.predict(train, skips=skips)
        score = float(pck(predictions.hits(experiment.profile.pck), predictions.visibility))
        assert interval.value == pytest.approx(score, abs=1e-6)
    assert np.isnan(found.sitting.value)  # dots have no shoulders, so nobody is known to sit

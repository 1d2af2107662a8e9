"""What chapter 02 keeps in its module: the rule that picks persons, tables without data, recorded speeds."""

import json

import numpy as np
import pytest
import torch
from test_figures_interpretation import COCO, check, persons, scattered

from figures import ch02
from hgnb import drawing
from hgnb.data.heatmaps import cells
from hgnb.metrics import PckConfig, pck
from hgnb.training import catalogue
from hgnb.training.passes import Predictions
from hgnb.training.prediction import predict

THESIS = PckConfig()


def guesses(n: int, seed: int = 0, labelled: bool = True):
    """A split of n persons, and predictions that find about half of their joints; peaks of one decimal, so they tie."""
    split = persons(scattered(n, 17)) if n else persons(scattered(1, 17)).take(np.arange(0))
    rng = np.random.default_rng(seed)
    true = cells(torch.from_numpy(split.keypoints[..., :2]), 64, 16)
    off = torch.from_numpy(rng.integers(3, 6, true.shape) * (rng.random((n, 17, 1)) < rng.random((n, 1, 1))))
    visibility = torch.from_numpy(split.visibility) * labelled
    return split, Predictions(true + off, torch.from_numpy(rng.random((n, 17)).round(1)), true, visibility, 16)


def test_persons_are_ranked_by_rule():
    split, made = guesses(40)
    chosen = ch02.ranked(made, THESIS, seed=0)
    own, peak = chosen.pck, made.peaks.mean(1).numpy()
    order = sorted(range(len(split)), key=lambda i: (-own[i], -peak[i]))
    assert chosen.positions["best"].tolist() == order[:4] and chosen.positions["worst"].tolist() == order[-4:]
    assert chosen.positions["median"].tolist() == order[18:22]
    made.peaks[:] = 0.5  # what the peaks can't decide, the seed does, the same way every time
    made.points[:] = made.true
    drawn = [ch02.ranked(made, THESIS, seed=s).positions["best"].tolist() for s in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("n", [0, 2, 3, 7, 40])
def test_best_median_worst(n):
    split, made = guesses(n)
    plate = check(ch02.best_median_worst(made, split, COCO, THESIS, seed=0))
    chosen = ch02.ranked(made, THESIS, seed=0)
    shown = np.concatenate(list(chosen.positions.values()))
    assert len(shown) == len(set(shown)) == 3 * min(4, n // 3)
    assert n < 3 or plate.caption.startswith(f"The {min(3, n // 3)} best")
    assert ("No persons" in plate.caption) == (n < 3)


def test_what_was_recorded_is_there_or_asked_for(house):
    assert ch02.recorded("speed") == ({}, "")
    assert "benchmarks/results/speed.json" in ch02.without("speed").text
    (house / "benchmarks/results").mkdir(parents=True)
    record = {"machine": {"cpu": "a processor", "device": "cpu"}, "networks": []}
    (house / "benchmarks/results/speed.json").write_text(json.dumps(record))
    assert ch02.recorded("speed") == (record, "a processor")


def test_the_table_counts_what_there_is():
    split, made = guesses(40)
    table = ch02.by_visibility_table(made, split, COCO, THESIS)
    counted = table.rows["Counted"].str.replace(",", "").astype(int).tolist()
    assert table.name == "tbl-pck-visibility" and counted[0] == counted[1] + counted[2] == int(
        (made.visibility > 0).sum()
    )
    pooled = float(pck(made.hits(THESIS), made.visibility))
    assert table.rows["all"][0].startswith(f"{pooled:.3f} (")
    made.visibility[made.visibility == 1] = 2
    table = ch02.by_visibility_table(made, split, COCO, THESIS)
    assert "| – |" in table.markdown() and "A dash" in table.caption and "nan" not in table.markdown()


@pytest.mark.parametrize("boxes", [[], ["0,0,40,40"] * 3, ["5,5,30,60"] * 9])
def test_a_photograph_with_many_persons(trained, boxes):
    experiment, run = trained
    file = next((experiment.folder / "val2017").glob("*.png"))
    made = predict(catalogue.weights(run.id), file, boxes)
    figure = drawing.draw(made)
    assert len(figure.axes) == 1 + max(len(boxes), 1)
    assert len(figure.axes[0].patches) == max(len(boxes), 1) and all(ax.images for ax in figure.axes)

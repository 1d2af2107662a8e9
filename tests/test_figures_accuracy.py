"""What chapters 01, 02 and B1 keep in their modules: credits under photographs, what a rule does to a square, who is
shown, tables without data, and what programs recorded.
"""

import json

import numpy as np
import pytest
import torch
from test_figures_interpretation import COCO, check, persons, scattered

from figures import ch01, ch02, chB
from figures.page import credited, opened
from hgnb import drawing
from hgnb.data import coco
from hgnb.data.credits import photo_credits
from hgnb.data.heatmaps import cells
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError
from hgnb.metrics import PckConfig, pck
from hgnb.training import catalogue
from hgnb.training.passes import Predictions
from hgnb.training.prediction import predict

THESIS, CONFIG = PckConfig(), DataConfig(side=32)


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
    with pytest.raises(InputError, match=r"python benchmarks/fuzz\.py"):
        chB.record("fuzz")
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


def test_a_caption_names_each_photograph_once():
    known = {3: "COCO 3, CC BY", 5: "COCO 5, CC BY-SA"}
    assert credited("Two.", known, [3, 5, 3, 9]) == "Two. Photographs: COCO 3, CC BY; COCO 5, CC BY-SA."
    assert credited("One.", known, [5]) == "One. Photograph: COCO 5, CC BY-SA."
    assert credited("None.", known, [9]) == "None."


def test_photographs_carry_their_credits_and_damaged_ones_are_passed_over(coco_folder):
    rows = [
        {"id": n, "flickr_url": f"http://flickr.test/{n}", "licence": "CC BY", "licence_url": "http://cc.test/by"}
        for n in range(1, 13)
    ]
    (coco_folder / "ATTRIBUTION.json").write_text(json.dumps({"images": rows}))
    credits = photo_credits(coco_folder)
    train, _ = coco.load_both(coco_folder)
    assert ch01.moved(train, CONFIG, 0, credits).caption.count("[COCO ") > 1
    first = train.persons[0].image_id
    (coco_folder / "train2017" / f"{first:03}.png").write_bytes(b"no image")
    assert first not in {person.image_id for person, _ in opened(train.persons)}
    shown = ch01.moved(train, CONFIG, 0, credits, count=24).caption
    assert f"[COCO {first}]" not in shown and "[COCO " in shown


def test_what_a_rule_does_to_a_square(coco_folder):
    train, _ = coco.load_both(coco_folder)
    for person in train.persons:
        for rule in ch01.RULES:
            moved, shrunk, lost = ch01.fate(person, CONFIG, rule)
            crop = ch01.under(person, CONFIG, rule)
            points = person.keypoints[person.keypoints[:, 2] > 0, :2] + 0.5 - (crop.x, crop.y)
            assert lost == int((~((points >= 0) & (points < crop.side)).all(1)).sum())
            assert shrunk or crop.side >= np.floor(1.1 * max(person.box[2:])) - 1
            assert moved or (np.abs(points.min(0) + points.max(0) - crop.side) <= 3).all()


def test_words_about_a_record():
    counts = {"hgnb.data.crops": {"mutants": 40, "killed": 36}, "hgnb.metrics.oks": {"mutants": 10, "killed": 9}}
    found = {"rooms": counts, "machine": {"cpu": "a processor", "cores": 2, "commit": "0123456789"}}
    assert chB.machine(found) == "Recorded on 2 cores of a processor, at commit 0123456."
    assert chB.rooms(found, "mutants", "killed")[1:] == [
        ("`hgnb.metrics.oks`", "10", "9", "90 %"), ("together", "50", "45", "90 %"),
    ]  # fmt: skip
    assert chB.quoted(" A\nB \n") == "“B”" and chB.quoted("") == "“nothing”"

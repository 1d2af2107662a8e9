"""Tables of chapter 01: what a dataset holds, what of it is kept, and in which split it is used."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

from figures.page import Table, percent
from hgnb.data.coco import Split
from hgnb.data.prepared import Prepared
from hgnb.data.splits import TEST_BY, DataConfig, divide

# Thesis, table 1: persons, though it says images.
THESIS_SPLIT = {"train": 124_040, "val": 5_064, "test": 5_064}
SPLIT_TITLES = {"train": "Training", "val": "Validation", "test": "Test"}
# COCO's persons with keypoints: the thesis's 4.1 counts those of training, and its 66,808 images those of both.
THESIS_PERSONS = {"train": 149_813, "val": 156_165 - 149_813}
THESIS_IMAGES, THESIS_FULL = 66_808, 7_017  # images with any person; fully annotated training persons (6.4)
TITLES = {"image": "whole photographs (ours)", "person": "persons (thesis)"}


def thesis_kept() -> dict[str, float]:
    """The share of COCO's persons with keypoints that the thesis kept, test persons counted as training ones."""
    kept = {"train": THESIS_SPLIT["train"] + THESIS_SPLIT["test"], "val": THESIS_SPLIT["val"]}
    return {name: kept[name] / THESIS_PERSONS[name] for name in kept}


def counts_table(data: Prepared, train: Split, val: Split) -> Table:
    """What is left after each step of the selection, as persons and images, beside what the thesis says (C1)."""
    persons, images = data.manifest["persons"], data.manifest["images"]
    used = {
        "train": (persons["train"] + persons["test"], _images_used(data)),
        "val": (persons["val"], images["val"]),
    }
    thesis = {
        "any": f"{THESIS_IMAGES:,} images in both",
        "with keypoints": f"{THESIS_PERSONS['train']:,} persons in training, {sum(THESIS_PERSONS.values()):,} in both",
        "with every keypoint": f"{THESIS_FULL:,} persons in training",
    }
    rows = [("images listed", *(f"({s.counts['images']:,})" for s in (train, val)), _both_images(train, val), "")]
    titles = {"any": "any person", "with every keypoint": "of these, with every keypoint"}
    for step in train.steps:
        pairs = [(s.steps[step]["annotations"], s.steps[step]["images"]) for s in (train, val)]
        rows.append((titles.get(step, step), *_cells(pairs), thesis.get(step, "")))
    sound = [(s.counts["persons"], s.counts["images with persons"]) for s in (train, val)]
    rows.append(("with keypoints, undamaged", *_cells(sound), ""))
    kept = "{train:,} + {test:,} in training and test, {val:,} in validation".format(**THESIS_SPLIT)
    rows.append(("used here", *_cells([used["train"], used["val"]]), kept))
    columns = ["Left after each step", train.name, val.name, "Both", "Thesis"]
    caption = (
        "Persons (and, in brackets, the images they are on) after each step of the selection. "
        "A blank in the last column is a count that the thesis doesn't give."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-counts")


def dropped(data: Prepared, train: Split, val: Split) -> str:
    """A sentence for each thing that takes persons out of a dataset, with its count."""
    both = train.counts["annotations"] + val.counts["annotations"]
    crowds, bare = (train.counts[what] + val.counts[what] for what in ("crowds", "without keypoints"))
    damage = sum((Counter(kinds) for kinds in data.manifest["dropped"].values()), Counter())
    listed = ", ".join(f"{number:,} by “{kind}”" for kind, number in damage.most_common())
    sound = train.counts["persons"] + val.counts["persons"]
    used = sum(data.manifest["persons"].values())
    undecoded = damage.total() - sum(len(ids) for s in (train, val) for ids in s.dropped.values())
    return (
        f"Of {both:,} annotations {crowds:,} are crowds and {bare:,} are persons without keypoints. "
        f"Damage takes out {damage.total():,} persons{f': {listed}' if listed else ''}. "
        f"The profile's limits and the least number of keypoints leave out {sound - undecoded - used:,} more, "
        f"and {used:,} are used. Of these data: {data.summary}."
    )


def kept_table(train: Split, val: Split, config: DataConfig, most: int = 8) -> Table:
    """What each value of `data.min_labelled` would keep, beside the thesis's shares, whose rule isn't known."""
    labelled = [np.array([p.labelled for p in split.persons]) for split in (train, val)]
    shares = {n: [float((counts >= n).mean()) for counts in labelled] for n in range(1, most + 1)}
    rows = []
    for n, (first, second) in shares.items():
        numbers = [f"{int((counts >= n).sum()):,}" for counts in labelled]
        here = " (here)" if n == config.min_labelled else ""
        rows.append((f"{n}{here}", numbers[0], percent(first, 1), numbers[1], percent(second, 1)))
    thesis = thesis_kept()
    totals = [f"{THESIS_SPLIT['train'] + THESIS_SPLIT['test']:,}", f"{THESIS_SPLIT['val']:,}"]
    rows.append(("thesis", totals[0], percent(thesis["train"], 1), totals[1], percent(thesis["val"], 1)))
    columns = ["Least labelled keypoints", train.name, "Share", val.name, "Share "]
    caption = "Persons that each value of `data.min_labelled` keeps, of those with a keypoint."
    nearest = [min((abs(both[i] - w), n) for n, both in shares.items())[1] for i, w in enumerate(thesis.values())]
    if shares[1] == shares[most]:
        caption += " Here every value keeps everybody."
    else:
        caption += f" The thesis's shares are met most closely by {nearest[0]} in training, {nearest[1]} in validation."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-min-labelled")


def split_table(data: Prepared) -> Table:
    """Persons of each split, ours beside the thesis's table 1."""
    persons, images = data.manifest["persons"], data.manifest["images"]
    ours, thesis = sum(persons.values()), sum(THESIS_SPLIT.values())
    rows = [
        (
            SPLIT_TITLES[s],
            f"{persons[s]:,}",
            percent(persons[s] / ours, 3),
            f"{images[s]:,}",
            f"{n:,}",
            percent(n / thesis, 3),
        )
        for s, n in THESIS_SPLIT.items()
    ]
    total = _images_used(data) + images["val"]  # a photograph can be in training and in the test
    rows.append(("Total", f"{ours:,}", "100 %", f"{total:,}", f"{thesis:,}", "100 %"))
    columns = ["Split", "Persons", "Share", "Images", "Persons, thesis", "Share, thesis"]
    caption = "Persons in each split, beside table 1 of the thesis, which calls them images."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-split")


def leak_table(data: Prepared, train: Split, val: Split, config: DataConfig) -> Table:
    """How many test persons' photographs are in training too, by what is drawn; the rule in force as prepared."""
    rows = []
    for by in TEST_BY:
        if by == config.test_by:
            images = {name: data.split(name).image_ids for name in ("train", "test")}
        else:
            divided = divide(train, val, replace(config, test_by=by))
            images = {name: np.array([p.image_id for p in divided[name]]) for name in ("train", "test")}
        shared = np.isin(images["test"], images["train"])
        numbers = (f"{len(shared):,}", f"{len(np.unique(images['test'])):,}", f"{shared.sum():,}")
        share = percent(shared.mean() if len(shared) else np.nan, 1)
        rows.append((TITLES[by] + (", in use" if by == config.test_by else ""), *numbers, share))
    columns = ["Drawn are", "Test persons", "Their photographs", "Persons whose photograph is in training", "Share"]
    caption = "What the test set shares with training, by what is drawn (`data.test_by`)."
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-split-leak")


def _images_used(data: Prepared) -> int:
    """Images that training and test persons are on."""
    return len(np.union1d(*(data.split(name).image_ids for name in ("train", "test"))))


def _cells(pairs: list[tuple[int, int]]) -> list[str]:
    """(persons, images) of two splits, and of both together."""
    return [f"{persons:,} ({images:,})" for persons, images in [*pairs, tuple(np.sum(pairs, 0).tolist())]]


def _both_images(train: Split, val: Split) -> str:
    return f"({train.counts['images'] + val.counts['images']:,})"

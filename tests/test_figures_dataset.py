"""Chapter 01's tables against counts by hand and plain loops; credits under photographs."""

import json

import matplotlib.pyplot as plt
import pytest

from figures import counts, dataset, persons
from figures.page import credited
from hgnb.data import coco
from hgnb.data.credits import photo_credits
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.data.prepared import prepare
from hgnb.data.splits import DataConfig


@pytest.fixture
def made(coco_folder, tmp_path):
    def prepared(**settings):
        config = DataConfig(side=32, **settings)
        return prepare(coco_folder, config, tmp_path / "cache"), *coco.load_both(coco_folder), config

    yield prepared
    plt.close("all")


def test_the_steps_by_hand(made):
    """Two persons an image, one crowd and one without keypoints a split; every third image's miss their nose."""
    data, train, val, _ = made()
    table = counts.counts_table(data, train, val).rows.set_index("Left after each step")
    assert table.loc["images listed", ["train2017", "val2017", "Both"]].tolist() == ["(12)", "(6)", "(18)"]
    assert table.loc["any person", "Both"] == "40 (18)"
    assert table.loc["without crowds", "Both"] == "38 (18)"
    assert table.loc["with keypoints", ["train2017", "val2017", "Both"]].tolist() == ["24 (12)", "12 (6)", "36 (18)"]
    assert table.loc["of these, with every keypoint", "train2017"] == "16 (8)"
    assert table.loc["used here", ["train2017", "val2017"]].tolist() == ["24 (12)", "12 (6)"]
    assert "66,808 images" in table.loc["any person", "Thesis"]
    assert table.loc["with keypoints", "Thesis"] == "149,813 persons in training, 156,165 in both"


def test_what_drops_out_adds_up(coco_folder, made):
    (coco_folder / "train2017" / "004.png").write_bytes(b"no image")
    (coco_folder / "val2017" / "002.png").unlink()
    data, train, val, _ = made(min_labelled=5)
    said = counts.dropped(data, train, val)
    used = sum(data.manifest["persons"].values())
    assert "Of 40 annotations 2 are crowds and 2 are persons without keypoints." in said
    # 004 shows noses unlabelled, so nobody opens it; 002's two persons are missed before.
    assert "Damage takes out 2 persons: 2 by “missing image”." in said
    assert f"leave out {34 - used} more, and {used} are used." in said
    said = counts.dropped(*made()[:3])
    assert "Damage takes out 4 persons" in said and "2 by “undecodable image”" in said
    assert "leave out 0 more, and 32 are used." in said


def test_the_thesis_kept_what_its_numbers_say():
    shares = counts.thesis_kept()
    assert shares["train"] == pytest.approx(0.862, abs=5e-4) and shares["val"] == pytest.approx(0.797, abs=5e-4)
    assert sum(counts.THESIS_PERSONS.values()) == 156_165


def test_what_each_least_number_of_keypoints_keeps(made):
    _, train, val, config = made(min_labelled=2)
    table = counts.kept_table(train, val, config)
    rows = table.rows.to_numpy().tolist()
    assert [row[0] for row in rows] == ["1", "2 (here)", *"345678", "thesis"]
    assert rows[4] == ["5", "16", "66.7 %", "8", "66.7 %"] and rows[5][1:3] == ["0", "0.0 %"]
    assert rows[-1][2] == "86.2 %" and "86.2" not in table.caption
    assert "by 1 in training, 5 in validation" in table.caption  # 1 keeps all, 5 two thirds


@pytest.mark.parametrize("by", ["image", "person"])
def test_the_leak_by_a_plain_loop(made, by):
    data, train, val, config = made(test_by=by)
    table = counts.leak_table(data, train, val, config).rows
    shared = {}
    for drawn in ("image", "person"):
        other = made(test_by=drawn)[0]
        seen = {int(i) for i in other.split("train").image_ids}
        shared[drawn] = sum(int(i) in seen for i in other.split("test").image_ids)
    column = "Persons whose photograph is in training"
    assert table[column].tolist() == [str(shared["image"]), str(shared["person"])]
    assert shared["image"] == 0 < shared["person"]
    assert [("in use" in cell) for cell in table["Drawn are"]] == [by == "image", by == "person"]


def test_a_photograph_on_both_sides_counts_once_in_the_total(made):
    data = made(test_by="person")[0]
    table = counts.split_table(data).rows.set_index("Split")
    assert table.loc["Total", "Images"] == "18" and table.loc["Total", "Persons"] == "36"


def test_a_caption_names_each_photograph_once():
    known = {3: "COCO 3, CC BY", 5: "COCO 5, CC BY-SA"}
    assert credited("Two.", known, [3, 5, 3, 9]) == "Two. Photographs: COCO 3, CC BY; COCO 5, CC BY-SA."
    assert credited("One.", known, [5]) == "One. Photograph: COCO 5, CC BY-SA."
    assert credited("None.", known, [9]) == "None."


def test_photographs_carry_their_credits_and_damaged_ones_are_passed_over(coco_folder, made):
    rows = [
        {"id": n, "flickr_url": f"http://flickr.test/{n}", "licence": "CC BY", "licence_url": "http://cc.test/by"}
        for n in range(1, 13)
    ]
    (coco_folder / "ATTRIBUTION.json").write_text(json.dumps({"images": rows}))
    credits = photo_credits(coco_folder)
    data, train, _, config = made()
    first = dataset.example_image(train)
    line = f"Photograph: [COCO {first}](http://flickr.test/{first}), [CC BY](http://cc.test/by)."
    assert dataset.coco_example(train, first, credits).caption.endswith(line)
    assert dataset.crops(train, first, config, credits).caption.endswith(line)
    person = data.split("train")
    assert f"[COCO {person.image_ids[0]}]" in dataset.heatmap_example(person, 0, 8, HeatmapConfig(), credits).caption
    assert persons.moved(train, config, 0, credits).caption.count("[COCO ") > 1
    (coco_folder / "train2017" / f"{first:03}.png").write_bytes(b"no image")
    other = dataset.example_image(train)
    assert other != first
    shown = persons.moved(train, config, 0, credits, count=24).caption
    assert f"[COCO {first}]" not in shown and "[COCO " in shown

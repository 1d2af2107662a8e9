"""What chapter 01 keeps in its module: credits under photographs, damaged ones passed over, what a rule does."""

import json

import numpy as np

from figures import ch01
from figures.page import credited, opened
from hgnb.data import coco
from hgnb.data.credits import photo_credits
from hgnb.data.splits import DataConfig

CONFIG = DataConfig(side=32)


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

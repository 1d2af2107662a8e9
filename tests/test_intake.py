"""Data as exporters write them: found, read as if they were clean, and what was repaired is counted.

Each case changes the clean folder of dots in one way; the persons read must be those of the clean one.
"""

import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import edit, lay_sideways, run_command, write_coco
from PIL import Image

from hgnb.data import coco
from hgnb.data.check import check, suspicions
from hgnb.data.intake import Choices, layouts
from hgnb.data.intake.categories import spelled
from hgnb.data.prepared import prepare
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError
from hgnb.training.experiment import Experiment
from hgnb.training.profiles import TrainingConfig

SPLITS = {"train2017": 12, "val2017": 6}


@pytest.fixture
def clean(tmp_path) -> coco.Split:
    """The training split as it should be read."""
    return coco.read(write_coco(tmp_path / "clean", SPLITS), "train")


def same(one: coco.Split, other: coco.Split) -> bool:
    """Whether two splits hold the same persons on pictures of the same names, wherever they lie."""
    if len(one.persons) != len(other.persons) or one.schema != other.schema:
        return False
    return all(
        (a.id, a.image_id, a.image_size, a.file.stem.lower()) == (b.id, b.image_id, b.image_size, b.file.stem.lower())
        and np.array_equal(a.keypoints, b.keypoints)
        and np.allclose(a.box, b.box)
        for a, b in zip(one.persons, other.persons, strict=True)
    )


COMMON = "annotations/person_keypoints_"
LAYOUTS = {  # annotation file and pictures of training, then of validation
    "CVAT": (f"{COMMON}Train.json", "images/Train", f"{COMMON}Validation.json", "images/Validation"),
    "Roboflow": ("train/_annotations.coco.json", "train", "valid/_annotations.coco.json", "valid"),
    "FiftyOne": ("train/labels.json", "train/data", "validation/labels.json", "validation/data"),
    "MMPose": ("annotations/train.json", "train", "annotations/val.json", "val"),
    "instances": (
        *("annotations/instances_train2017.json", "train2017"),
        *("annotations/instances_val2017.json", "val2017"),
    ),
    "COCO-WholeBody": (
        *("annotations/coco_wholebody_train_v1.0.json", "train2017"),
        *("annotations/coco_wholebody_val_v1.0.json", "val2017"),
    ),
    "images by split": (f"{COMMON}train.json", "images/train", f"{COMMON}val.json", "images/val"),
    "capitals": ("Annotations/TRAIN.JSON", "Images/TRAIN", "Annotations/VAL.JSON", "Images/VAL"),
    "training and test": ("training/annotations.json", "training", "test/annotations.json", "test"),
    "below": ("export/annotations/train.json", "export/train", "export/annotations/val.json", "export/val"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_exporters_are_found(clean, coco_folder, layout):
    folder = coco_folder.parent / "relaid"
    for split, file, pictures in zip(SPLITS, LAYOUTS[layout][::2], LAYOUTS[layout][1::2], strict=True):
        shutil.copytree(coco_folder / split, folder / pictures)
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(coco_folder / f"{COMMON}{split}.json", folder / file)
    split, other = coco.read(folder, "train"), coco.read(folder, "val")
    assert same(split, clean) and not split.repaired and not split.faults and len(other.persons) == 12
    assert split.name.startswith("train") and other.name.startswith("val") and not other.faults


@pytest.mark.parametrize(
    ("file", "pictures", "listed"),
    [
        ("annotations/person_keypoints_default.json", "images/default", "{}"),  # CVAT without subsets
        ("result.json", "images", "images\\{}"),  # Label Studio on Windows
        ("labels.json", "data", "{}"),  # FiftyOne
        ("_annotations.coco.json", ".", "{}"),  # Roboflow without a division
    ],
)
def test_an_export_of_one_file_is_divided_by_photograph(clean, coco_folder, house, file, pictures, listed):
    folder = coco_folder.parent / "one"
    edit(coco_folder, images(lambda i: i.update(file_name=listed.format(i["file_name"]))))
    shutil.copytree(coco_folder / "train2017", folder / pictures)
    (folder / file).parent.mkdir(exist_ok=True)
    shutil.copy(coco_folder / f"{COMMON}train2017.json", folder / file)
    train, val = coco.read(folder, "train"), coco.read(folder, "val")
    assert (train.name, val.name) == ("train", "val") and not train.faults and not val.faults
    parted = [{p.image_id for p in split.persons} for split in (train, val)]
    assert not parted[0] & parted[1] and len(parted[0]) + len(parted[1]) == 12
    assert sorted(p.id for split in (train, val) for p in split.persons) == [p.id for p in clean.persons]


def test_crowdpose_has_its_files_in_json_and_one_folder_of_pictures(tmp_path):
    folder = write_coco(tmp_path / "crowd", SPLITS)
    for place in ("json", "images"):
        (folder / place).mkdir()
    for split in SPLITS:
        edit(folder, images(lambda i, s=split: i.update(file_name=f"{s}-{i['file_name']}")), split)
        for picture in (folder / split).iterdir():
            picture.rename(folder / "images" / f"{split}-{picture.name}")
        (folder / f"{COMMON}{split}.json").rename(folder / f"json/crowdpose_{split[:-4]}.json")
    assert [len(coco.read(folder, s).persons) for s in ("train", "val")] == [24, 12]
    assert not check(folder).faults


def test_files_of_2014_beside_those_of_2017_are_read_with_their_pictures(clean, coco_folder):
    for split in ("train", "val"):
        shutil.copy(coco_folder / f"{COMMON}{split}2017.json", coco_folder / f"{COMMON}{split}2014.json")
    split = coco.read(coco_folder, "train")
    assert split.name == "train2017" and same(split, clean)
    (odd,) = [s for s in suspicions([split]) if s.kind == "several annotation files"]
    assert "person_keypoints_train2014.json" in odd.reason


def test_of_several_files_the_one_with_keypoints_is_read(clean, coco_folder):
    assert [f.name for f in layouts.annotation_files(coco_folder)] == [f"person_keypoints_{s}.json" for s in SPLITS]
    for name in ("captions_train2017", "instances_train2017", "panoptic_train2017"):
        (coco_folder / f"annotations/{name}.json").write_text('{"images": [], "annotations": [], "categories": []}')
    (coco_folder / "train_classes.json").write_text("[]")
    (coco_folder / f"{COMMON}train2017.json").rename(coco_folder / "annotations/keypoints_train2017.json")
    assert same(coco.read(coco_folder, "train"), clean)
    assert layouts.annotation_files(coco_folder / "nowhere") == []


def test_the_sentence_names_what_is_wanted_and_what_is_there(coco_folder):
    shutil.rmtree(coco_folder / "annotations")
    (coco_folder / "notes.txt").write_text("")
    with pytest.raises(
        InputError, match="not in COCO layout.*wanted is annotations/.*found: notes.txt, train2017/"
    ) as e:
        coco.check(coco_folder)
    assert "\n" not in str(e.value)


NAMES = {  # what is done to a name, and to the file
    "backslashes": (lambda n, s: rf"images\{n}", None),
    "with the split": (lambda n, s: f"{s}/{n}", None),
    "absolute": (lambda n, s: f"/home/somebody/data/{n}", None),
    "of Windows": (lambda n, s: rf"C:\data\{n}", None),
    "upwards": (lambda n, s: f"../../upload/1/{n}", None),
    "an address": (lambda n, s: f"http://images.cocodataset.org/{s}/{n}", None),
    "ending in capitals": (lambda n, s: n, lambda p: p.rename(p.with_suffix(".PNG"))),
}


@pytest.mark.parametrize("case", NAMES)
def test_pictures_are_found_by_other_spellings(clean, coco_folder, case):
    listed, moved = NAMES[case]
    for split in SPLITS:
        edit(coco_folder, images(lambda i, s=split: i.update(file_name=listed(i["file_name"], s))), split)
        for picture in sorted((coco_folder / split).iterdir()) if moved else ():
            moved(picture)
    split = coco.read(coco_folder, "train")
    assert same(split, clean) and not split.faults
    # a path from the data folder is as good as the name alone
    assert split.repaired.total() == (0 if case == "with the split" else 12)


def test_accents_may_be_composed_or_not(coco_folder):
    for picture in sorted((coco_folder / "train2017").iterdir()):
        picture.rename(picture.with_name(unicodedata.normalize("NFD", f"Zoë {picture.name}")))
    edit(coco_folder, images(lambda i: i.update(file_name=unicodedata.normalize("NFC", f"Zoë {i['file_name']}"))))
    assert len(coco.read(coco_folder, "train").persons) == 24


def test_names_may_differ_in_case_alone(clean, coco_folder):
    names = {"001.png": "person.png", "002.png": "Person.PNG"}
    for old, new in names.items():
        (coco_folder / "train2017" / old).rename(coco_folder / "train2017" / new)
    if len(list((coco_folder / "train2017").iterdir())) < 12:
        pytest.skip("this disk holds the two for one")
    edit(coco_folder, images(lambda i: i.update(file_name=names.get(i["file_name"], i["file_name"]))))
    split = coco.read(coco_folder, "train")
    assert not split.repaired and not split.faults
    assert [p.file.name for p in split.persons] == [names.get(p.file.name, p.file.name) for p in clean.persons]


def test_a_picture_of_another_split_is_never_taken(coco_folder):
    """Both splits number their pictures from 001; the wrong one would be there by that name."""
    (coco_folder / "val2017/003.png").unlink()
    split = coco.read(coco_folder, "val")
    assert split.dropped == {"missing image": [5, 6]} and "1 of 6 pictures are missing" in split.odd["missing image"]


def point(record: dict, k: int, x: float, y: float, v: float) -> None:
    record["keypoints"][3 * k : 3 * k + 3] = [x, y, v]


def unlabelled(x: float, y: float, v: float):
    """Writes (x, y, v) where a keypoint isn't labelled."""
    return lambda a: [point(a, k, x, y, v) for k in range(5) if not a["keypoints"][3 * k + 2]]


def to_text(key: str):
    return lambda a: a.update({key: list(map(str, a[key]))})


def to_triples(a: dict) -> None:
    a["keypoints"] = [a["keypoints"][i : i + 3] for i in range(0, 15, 3)]


def persons(change):
    """Of a file's content: `change` of each annotation that has keypoints."""
    return lambda content: [change(a) for a in content["annotations"] if a["num_keypoints"]]


def images(change):
    return lambda content: [change(i) for i in content["images"]]


def named(*names):
    return lambda content: content["categories"][0].update(keypoints=list(names))


def numbered(change):
    """Other image ids; where an image has none annotations name the file."""

    def every(content):
        for image in content["images"]:
            image["id"] = change(image["id"])
        for record in content["annotations"]:
            name = change(record["image_id"])
            record["image_id"] = f"{record['image_id']:03}.png" if name is None else name

    return every


def of_two_categories(content):
    content["categories"].append({**content["categories"][0], "id": 2, "name": "rider"})
    for record in content["annotations"][::2]:
        record["category_id"] = 2


UNLISTED = "image sizes that aren't listed, read from the file"
TEXT_IDS = "image ids that are no whole numbers, numbered"
SPELLED = "keypoints named in the one spelling: left_hip, right_hip"
CONTENT = {  # changes that are redundant, or say the same in another way; and how they are counted, by first words
    "no count": (persons(lambda a: a.pop("num_keypoints")), None),
    "count of the list": (persons(lambda a: a.update(num_keypoints=5)), "num_keypoints counted again"),
    "count as text": (persons(lambda a: a.update(num_keypoints=str(a["num_keypoints"]))), "num_keypoints counted"),
    "crowd as text": (persons(lambda a: a.update(iscrowd="0")), "crowd flags"),
    "crowd as word": (persons(lambda a: a.update(iscrowd="False")), "crowd flags"),
    "crowd as bool": (persons(lambda a: a.update(iscrowd=False)), None),
    "id as text": (persons(lambda a: a.update(id=str(a["id"]))), "annotation ids"),
    "id as float": (persons(lambda a: a.update(id=float(a["id"]))), "annotation ids"),
    "image as text": (persons(lambda a: a.update(image_id=str(a["image_id"]))), "image ids of annotations"),
    "image as name": (persons(lambda a: a.update(image_id=f"{a['image_id']:03}.png")), "image ids of annotations"),
    "image as float": (persons(lambda a: a.update(image_id=float(a["image_id"]))), "image ids of annotations"),
    "category as text": (persons(lambda a: a.update(category_id="1")), "annotations' categories"),
    "no category": (persons(lambda a: a.pop("category_id")), "annotations' categories"),
    "two of the same keypoints": (of_two_categories, "categories of the same keypoints", "annotations' categories"),
    "numbers as text": (persons(to_text("keypoints")), "keypoints written as text"),
    "triples": (persons(to_triples), "keypoints written as text or in lists"),
    "box as text": (persons(to_text("bbox")), "boxes"),
    "below 0": (persons(unlabelled(-1, -1, -1)), "visibility below 0"),
    "at (0, 0)": (persons(unlabelled(0, 0, 2)), "persons with labelled keypoints at (0, 0)"),
    "outside": (persons(unlabelled(9, 83, 2)), "persons with keypoints outside"),
    "no number": (persons(unlabelled(9, 9, float("nan"))), "visibility that is none"),
    "images by text": (numbered(str), TEXT_IDS, "image ids of annotations"),
    "images by floats": (numbered(float), TEXT_IDS, "image ids of annotations"),
    "images by words": (numbered(lambda n: f"frame-{n}"), TEXT_IDS, "image ids of annotations"),
    "images by padded text": (numbered(lambda n: f"{n:03}"), TEXT_IDS, "image ids of annotations"),
    "images without ids": (numbered(lambda n: None), TEXT_IDS, "image ids of annotations"),
    "no size": (images(lambda i: (i.pop("height"), i.pop("width"))), UNLISTED),
    "size 0": (images(lambda i: i.update(width=0, height="?")), UNLISTED),
    "negative size": (images(lambda i: i.update(width=-5, height=[7])), UNLISTED),
    "size as text": (images(lambda i: i.update(width=str(i["width"]))), "image sizes that are no whole numbers"),
    "size exchanged": (images(lambda i: i.update(width=i["height"], height=i["width"])), "image sizes with width"),
    "RHip": (named("Nose", "LHip", "RHip", "LKnee", "RKnee"), SPELLED),
    "hip (left)": (named("nose", "hip (left)", "hip (right)", "knee (left)", "knee (right)"), SPELLED),
}


@pytest.mark.parametrize("case", CONTENT)
def test_files_say_the_same_in_another_way(clean, coco_folder, case):
    change, *words = CONTENT[case]
    edit(coco_folder, change)
    split = coco.read(coco_folder, "train")
    assert same(split, clean) and not split.faults and not split.dropped
    known = [told for told in words if told]
    assert len(split.repaired) == len(known) and all(any(w.startswith(told) for w in split.repaired) for told in known)
    assert split.counts["persons"] == 24 and not coco.read(coco_folder, "val").dropped


def test_without_visibility_what_has_a_place_is_visible(clean, coco_folder):
    edit(coco_folder, persons(lambda a: a.update(keypoints=[n for i, n in enumerate(a["keypoints"]) if i % 3 < 2])))
    for person, other in zip(coco.read(coco_folder, "train").persons, clean.persons, strict=True):
        assert np.array_equal(person.keypoints[:, :2], other.keypoints[:, :2])
        assert set(person.keypoints[:, 2]) <= {0, 2} and person.labelled == other.labelled


def test_scores_are_labels_where_they_are_above_0(clean, coco_folder):
    edit(
        coco_folder,
        persons(lambda a: a["keypoints"].__setitem__(slice(2, None, 3), [v * 0.4 for v in a["keypoints"][2::3]])),
    )
    split = coco.read(coco_folder, "train")
    assert [p.labelled for p in split.persons] == [p.labelled for p in clean.persons]
    edit(coco_folder, persons(lambda a: point(a, 4, 20, 20, 7)))  # no score, and no fault of the others
    split = coco.read(coco_folder, "train")
    assert all(p.keypoints[4].tolist() == [0, 0, 0] and p.keypoints[:4, 2].any() for p in split.persons)


@pytest.mark.parametrize("box", [None, [], [0, 0, 0, 0], [5, 5, float("nan"), 9], [500, 500, 9, 9]])
def test_a_box_that_is_none_is_drawn_around_the_keypoints(clean, coco_folder, box):
    edit(coco_folder, persons(lambda a: a.update(bbox=box)))
    split = coco.read(coco_folder, "train")
    assert len(split.persons) == 24 and split.repaired.total() == 24
    for person in split.persons:
        xy = person.keypoints[person.keypoints[:, 2] > 0, :2]
        assert (person.box[:2] <= xy.min(0)).all() and (person.box[:2] + person.box[2:] >= xy.max(0)).all()
        assert (person.box[:2] >= 0).all() and (person.box[:2] + person.box[2:] <= (96, 80)).all()


def test_the_box_of_a_single_keypoint_is_a_tenth_of_the_picture(coco_folder):
    edit(coco_folder, persons(lambda a: (a.update(bbox=[0, 0, 0, 0]), [point(a, k, 0, 0, 0) for k in (0, 2, 3, 4)])))
    person = coco.read(coco_folder, "train").persons[0]
    assert person.labelled == 1 and person.box[2:].tolist() == [8, 8]


def test_a_box_that_reaches_out_is_clipped_and_may_be_corners(coco_folder):
    for box, read in (([-9, 10, 200, 30], [0, 10, 96, 30]), ([60, 40, 96, 80], [60, 40, 36, 40])):
        edit(coco_folder, persons(lambda a, box=box: a.update(bbox=box)))
        split = coco.read(coco_folder, "train")
        assert all(p.box.tolist() == read for p in split.persons) and split.repaired.total() == 24
        assert ("boxes by corners" in split.odd) == (box[0] > 0)


def test_absent_annotation_ids_are_numbered_in_order(coco_folder):
    edit(coco_folder, lambda d: [a.pop("id") for a in d["annotations"]])
    split = coco.read(coco_folder, "train")
    assert [p.id for p in split.persons] == list(range(1, 25))


def test_records_listed_twice_are_one_and_equal_ids_of_others_are_two(clean, coco_folder):
    edit(coco_folder, lambda d: d["annotations"].extend([dict(d["annotations"][0]), {**d["annotations"][3], "id": 1}]))
    edit(coco_folder, lambda d: d["images"].append(dict(d["images"][0])))
    split = coco.read(coco_folder, "train")
    assert [p.id for p in split.persons] == [*range(1, 25), 903] and not split.faults
    assert split.repaired == {
        "images listed twice alike, read once": 1, "annotations listed twice alike, read once": 1,
        "annotation ids that occur twice, numbered anew": 1,
    }  # fmt: skip
    assert split.counts["annotations"] == 27
    assert [s.kind for s in suspicions([split])] == ["persons listed twice"]


def test_two_pictures_of_one_id_are_neither(coco_folder):
    edit(coco_folder, lambda d: d["images"].append({**d["images"][0], "file_name": "002.png"}))
    assert coco.read(coco_folder, "train").dropped == {"duplicate image id": [1, 2]}


def laid_sideways(folder: Path) -> None:
    """Stores pictures as a camera held upright does."""
    for split in SPLITS:
        for file in (folder / split).iterdir():
            lay_sideways(file, turn=True)


def test_orientation_is_followed_where_annotations_show_it(clean, coco_folder, tmp_path):
    """80 x 96 are stored and listed; keypoints lie at x up to 92."""
    whole = prepare(coco_folder, DataConfig(side=32), tmp_path / "a")
    laid_sideways(coco_folder)
    edit(coco_folder, images(lambda i: i.update(width=80, height=96)))
    split = coco.read(coco_folder, "train")
    assert same(split, clean) and list(split.repaired.values()) == [12] and not split.odd
    assert prepare(coco_folder, DataConfig(side=32), tmp_path / "b").checksum == whole.checksum
    ignored = coco.read(coco_folder, "train", Choices(exif="ignore"))
    assert ignored.persons[0].image_size == (80, 96) and "EXIF orientation" in ignored.odd


def test_orientation_of_square_pictures_is_asked_for_and_can_be_followed(coco_folder, tmp_path, capsys):
    def narrow(content):
        for image in content["images"]:
            image.update(width=80)
        content["annotations"] = [a for a in content["annotations"] if max(a["keypoints"][::3]) < 48]

    edit(coco_folder, narrow)
    for split in SPLITS:
        for file in (coco_folder / split).iterdir():
            with Image.open(file) as image:
                cropped = image.crop((0, 0, 80, 80))
            cropped.save(file)
    upright = prepare(coco_folder, DataConfig(side=32), tmp_path / "a")
    laid_sideways(coco_folder)
    (first, *_) = check(coco_folder).suspicious
    assert first.kind == "EXIF orientation" and "12 of 12 pictures" in first.reason and "--exif follow" in first.reason
    assert prepare(coco_folder, DataConfig(side=32), tmp_path / "b").checksum != upright.checksum
    assert run_command("data", "check", coco_folder, "--exif", "follow", "--write", tmp_path / "turned") == 0
    assert prepare(tmp_path / "turned", DataConfig(side=32), tmp_path / "c").checksum == upright.checksum
    assert run_command("data", "check", coco_folder, "--exif", "perhaps") == 1
    assert "Unknown way to treat orientations 'perhaps'" in capsys.readouterr().err


def test_names_are_spelled_in_one_way_and_those_that_are_fine_stay():
    for names in (
        ["nose", "left_hip", "right_hip", "b_l_u"], ["p1", "p2"], ["Größe", "左"], ["left_hip", "left", "right"],
        ["rib", "lip", "ring"], ["l_knee", "nose"],
    ):  # fmt: skip
        assert spelled(names) == names
    for sides in ("L_Hip R_Hip", "left-hip right-hip", "leftHip rightHip", "LEFT_HIP RIGHT_HIP", "hip_l hip_r",
                  "Hip.L Hip.R", "lhip rhip", "lefthip righthip"):  # fmt: skip
        assert spelled(["Nose", *sides.split()]) == ["nose", "left_hip", "right_hip"]
    assert spelled(["Left Hip", "Right Hip"]) == ["left_hip", "right_hip"]
    assert spelled(["linkes Knie", "rechtes Knie"]) == ["left_knie", "right_knie"]
    assert spelled(["A b", "A-b"]) == ["A b", "A-b"], "two that would become one"


@pytest.mark.parametrize("way", ["option", "flip_idx", "flip_pairs"])
def test_sides_can_be_told(coco_folder, tmp_path, capsys, way):
    edit(coco_folder, lambda d: d["categories"][0].update(keypoints=["a", "b", "c", "d", "e"]))
    report = check(coco_folder)
    assert [s.kind for s in report.suspicious] == ["sides unknown"] and "--pairs" in report.suspicious[0].reason
    told = {"flip_idx": [0, 2, 1, 4, 3], "flip_pairs": [["b", "c"], [3, 4]]}
    if way != "option":
        edit(coco_folder, lambda d: d["categories"][0].update({way: told[way]}))
    pairs = ["--pairs", "b=c, D=e"] if way == "option" else []
    assert run_command("data", "check", coco_folder, *pairs, "--write", tmp_path / "told") == 0
    assert "left_b_c=right_b_c, left_d_e=right_d_e" in " ".join(capsys.readouterr().out.split())
    schema = coco.read(tmp_path / "told", "val").schema
    assert schema.pairs == ((1, 2), (3, 4)) and schema.names[0] == "a"
    for wrong, words in (("b", "is no pair"), ("b=x", "no keypoint 'x'"), ("b==c", "is no pair")):
        status, printed = run_command("data", "check", coco_folder, "--pairs", wrong), capsys.readouterr()
        assert status == 1 and words in " ".join((printed.err + printed.out).split())


def test_flips_without_known_sides_are_warned_of(coco_folder, house):
    def remarks(**changed):
        opened = Experiment.open("smoke", str(coco_folder))
        return replace(opened, profile=replace(opened.profile, training=TrainingConfig(**changed))).remarks()

    assert remarks(flip=0.5) == ["Data 'dots': repaired nothing | dropped nobody | suspicious nothing."]
    edit(coco_folder, lambda d: d["categories"][0].update(keypoints=["a", "b", "c", "d", "e"]))
    line, warning = remarks(flip=0.5)
    assert "suspicious sides unknown" in line and warning.startswith("50% of the persons are seen in a mirror, but no")
    assert "--pairs LEFT=RIGHT" in warning and len(remarks()) == 1


def test_a_side_without_the_other_looks_suspicious(coco_folder):
    edit(coco_folder, lambda d: d["categories"][0]["keypoints"].__setitem__(4, "tail"))
    (odd,) = check(coco_folder).suspicious
    assert odd.kind == "sides unpaired" and "left_knee" in odd.reason


BONES = {
    "one too far": ([[2, 4], [3, 5], [5, 6]], ((1, 3), (2, 4))),
    "names": ([["left_hip", "left_knee"], ["right_hip", "Right_knee"]], ((1, 3), (2, 4))),
    "from 0": ([[0, 1], [1, 3], [2, 3]], ((0, 1), (1, 3), (2, 3))),
    "no list": (float("nan"), ()),
    "no pairs": ([7, [1], [1, 2, 3], [2, 4]], ((1, 3),)),
}


@pytest.mark.parametrize("case", BONES)
def test_bones_are_decoration(coco_folder, case):
    edit(coco_folder, lambda d: d["categories"][0].update(skeleton=BONES[case][0]))
    split = coco.read(coco_folder, "train")
    assert split.schema.skeleton == BONES[case][1] and split.repaired and len(split.persons) == 24


def test_keypoints_that_share_a_name_are_numbered(coco_folder):
    edit(coco_folder, lambda d: d["categories"][0].update(keypoints=["point", "point", "", "hand", "hand"]))
    assert coco.read(coco_folder, "train").schema.names == ("point_1", "point_2", "point_3", "hand_4", "hand_5")


def test_of_several_categories_persons_are_read(clean, coco_folder):
    skis = {"id": 7, "name": "skis", "keypoints": ["tip", "end"], "skeleton": []}

    def mixed(content):
        content["categories"] = [{"id": 0, "name": "objects"}, skis, *content["categories"]]
        content["annotations"] += [
            {**content["annotations"][0], "id": 950, "category_id": 7, "keypoints": [5, 5, 2] * 2}
        ]

    edit(coco_folder, mixed)
    split = coco.read(coco_folder, "train")
    assert same(split, clean) and split.repaired == {"annotations of a category with other keypoints, left aside": 1}
    edit(coco_folder, lambda d: d["categories"][2].update(name="skier"))
    with pytest.raises(InputError, match="not 2: choose of 'skis', 'skier' by .*--category NAME"):
        coco.read(coco_folder, "train")
    assert same(coco.read(coco_folder, "train", Choices(category="skier")), clean)
    with pytest.raises(InputError, match="has no category 'ski' with keypoints, but 'skis', 'skier'"):
        coco.read(coco_folder, "train", Choices(category="ski"))


def test_a_category_without_keypoints_is_told_what_to_add(coco_folder):
    edit(coco_folder, lambda d: d["categories"][0].pop("keypoints"))
    with pytest.raises(InputError, match=r"not 0 \(it has 'person'\): add \"keypoints\": \[\"nose\""):
        coco.check(coco_folder)


def test_pictures_in_both_splits_are_told(coco_folder):
    shutil.copy(coco_folder / "train2017/001.png", coco_folder / "val2017/001.png")
    (odd,) = check(coco_folder).suspicious
    assert odd.kind == "picture in both splits" and odd.reason.startswith("1 picture")
    read = [coco.read(coco_folder, split) for split in ("train", "val")]
    assert suspicions(read) == [odd], "the same by the names alone, as training looks"
    shutil.copy(coco_folder / "train2017/001.png", coco_folder / "val2017/002.png")
    assert check(coco_folder).suspicious[0].reason.startswith("1 picture"), "one picture under two names"


IMPLAUSIBLE = {
    "keypoints outside their box": lambda a: a.update(bbox=[a["bbox"][0], 0, 3, 3]),
    "keypoints at one place": lambda a: [point(a, k, *a["bbox"][:2], 2) for k in range(5)],
    "no visible keypoint": lambda a: a["keypoints"].__setitem__(
        slice(2, None, 3), [min(v, 1) for v in a["keypoints"][2::3]]
    ),
}


@pytest.mark.parametrize("kind", IMPLAUSIBLE)
def test_what_is_implausible_is_told_and_read(coco_folder, kind):
    edit(coco_folder, persons(lambda a: (IMPLAUSIBLE[kind](a), a.pop("num_keypoints"))))
    report = check(coco_folder)
    assert {(s.split, s.kind) for s in report.suspicious} == {("train2017", kind), ("val2017", kind)}
    assert report.sound and report.splits[0].counts["persons"] == 24


def test_left_and_right_of_the_viewer_look_suspicious(coco_folder):
    """People who show their nose have their left shoulder on the right of the picture."""
    edit(
        coco_folder,
        lambda d: d["categories"][0].update(keypoints=["nose", "left_shoulder", "right_shoulder", "a", "b"]),
    )
    for x, kinds in ((20, {"left and right"}), (5, set())):
        edit(
            coco_folder, persons(lambda a, x=x: (point(a, 0, 12, 9, 2), point(a, 1, 12, 30, 2), point(a, 2, x, 30, 2)))
        )
        edit(coco_folder, persons(lambda a: a.update(num_keypoints=sum(v > 0 for v in a["keypoints"][2::3]))))
        kinds |= {"keypoints outside their box"} & {s.kind for s in check(coco_folder).suspicious}
        assert {s.kind for s in check(coco_folder).suspicious if s.split == "train2017"} == kinds


def test_the_three_lists_are_printed_and_the_clean_folder_is_clean(coco_folder, tmp_path, capsys):
    edit(coco_folder, named("Nose", "LHip", "RHip", "LKnee", "RKnee"))
    edit(coco_folder, persons(lambda a: a.update(iscrowd="0", bbox=[0, 0, 0, 0])))
    (coco_folder / "train2017/002.png").write_text("no picture")
    shutil.copy(coco_folder / "train2017/001.png", coco_folder / "val2017/001.png")
    assert run_command("data", "check", coco_folder, "--write", tmp_path / "fine") == 1
    printed = capsys.readouterr().out
    assert printed.index("Repaired") < printed.index("Dropped: 1 faults") < printed.index("Suspicious")
    assert "left_hip=right_hip, left_knee=right_knee" in printed and "holds 34 persons on 17 pictures" in printed
    report = check(tmp_path / "fine")
    assert report.sound and not any(split.repaired for split in report.splits)
    assert [s.kind for s in report.suspicious] == ["picture in both splits"]
    one, other = (
        prepare(folder, DataConfig(side=32), tmp_path / "cache") for folder in (coco_folder, tmp_path / "fine")
    )
    assert np.array_equal(one.split("val").keypoints, other.split("val").keypoints)
    assert np.array_equal(one.split("val").crops, other.split("val").crops)
    assert "repaired" in one.summary and "38 boxes" not in one.summary and "undecodable image" in one.summary
    assert other.summary == "repaired nothing | dropped nobody | suspicious picture in both splits"
    assert run_command("data", "check", coco_folder, "--write", tmp_path / "fine") == 1
    assert "is there already and not empty" in capsys.readouterr().err


def yolo(folder: Path, split: coco.Split, name: str, dims: int = 3) -> None:
    """A split as YOLO's labels."""
    for kind in ("images", "labels"):
        (folder / kind / name).mkdir(parents=True)
    for number, image in split.images.items():
        shutil.copy(image.file, folder / "images" / name)
        lines = []
        for p in coco.by_image(split.persons)[number]:
            scale = np.array(image.size)
            box = [*(p.box[:2] + p.box[2:] / 2) / scale, *p.box[2:] / scale]
            points = np.column_stack([p.keypoints[:, :2] / scale, p.keypoints[:, 2]])[:, :dims]
            lines.append(" ".join(f"{n:.8f}" for n in (0, *box, *points.ravel())))
        (folder / "labels" / name / f"{image.file.stem}.txt").write_text("\n".join(lines))


@pytest.mark.parametrize("dims", [3, 2])
@pytest.mark.parametrize(
    "val", ["val: images/valid", "val: ../valid/images", "path: /datasets/x\nval: /no/x/images/valid"]
)
def test_yolo_labels_are_read_and_flip_idx_tells_the_pairs(clean, tmp_path, dims, val):
    folder = tmp_path / "yolo"
    yolo(folder, clean, "train", dims)
    yolo(folder, coco.read(tmp_path / "clean", "val"), "valid", dims)
    if ".." in val:  # Roboflow's layout
        for kind in ("images", "labels"):
            (folder / "valid").mkdir(exist_ok=True)
            shutil.move(folder / kind / "valid", folder / "valid" / kind)
    about = f"train: images/train\n{val}\nkpt_shape: [5, {dims}]\nflip_idx: [0, 2, 1, 4, 3]\nnames:\n  0: person\n"
    (folder / "data.yaml").write_text(about)
    split = coco.read(folder, "train")
    assert split.name == "train" and len(coco.read(folder, "val").persons) == 12
    assert split.schema.pairs == ((1, 2), (3, 4)) and split.schema.names[1] == "left_point_2_point_3"
    for person, other in zip(split.persons, clean.persons, strict=True):
        labelled = other.keypoints[:, 2] > 0
        np.testing.assert_allclose(person.keypoints[:, :2], other.keypoints[:, :2], atol=1e-4)
        np.testing.assert_allclose(person.box, other.box, atol=1e-4)
        assert np.array_equal(person.keypoints[:, 2] > 0, labelled) and person.image_size == (96, 80)
    first = prepare(folder, DataConfig(side=32), tmp_path / "cache")
    label = folder / "labels/train/001.txt"
    label.write_text(label.read_text().splitlines()[0])
    second = prepare(folder, DataConfig(side=32), tmp_path / "cache")
    assert sum(second.manifest["persons"].values()) == sum(first.manifest["persons"].values()) - 1


def test_a_line_of_yolo_that_is_none_costs_one_person(clean, tmp_path):
    yolo(tmp_path / "yolo", clean, "train")
    (tmp_path / "yolo/data.yaml").write_text("train: images/train\nval: images/train\nkpt_shape: [5, 3]\n")
    for n, text in ((1, "0 what"), (2, "0 0.5 0.5 0.1 0.1 0.5 0.5 2")):
        with (tmp_path / f"yolo/labels/train/{n:03}.txt").open("a") as file:
            file.write(f"\n{text}\n")
    (tmp_path / "yolo/images/train/012.png").write_text("no picture")
    split = coco.read(tmp_path / "yolo", "train")
    assert len(split.persons) == 22 and split.dropped.pop("undecodable image") == [25, 26]
    assert {kind: len(ids) for kind, ids in split.dropped.items()} == {"keypoint length": 1}
    assert [f.kind for f in split.faults] == ["undecodable image", "keypoint numbers", "keypoint length"]
    (tmp_path / "yolo/data.yaml").write_text("train: images/train\nval: images/train\nkpt_shape: 5\n")
    with pytest.raises(InputError, match=r"must say kpt_shape: \[K, 2\]"):
        coco.read(tmp_path / "yolo", "train")


def test_seventeen_keypoints_of_yolo_are_coco_s(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "images/a.jpg")
    points = " ".join(f"{x / 20:.3f} 0.5 2" for x in range(1, 18))
    (tmp_path / "labels/a.txt").write_text(f"0 0.5 0.5 0.9 0.9 {points}")
    (tmp_path / "data.yaml").write_text("train: images\nval: images\nkpt_shape: [17, 3]\n")
    split = coco.read(tmp_path, "train")
    assert split.schema.names[:2] == ("nose", "left_eye") and len(split.schema.pairs) == 8 and split.schema.skeleton
    assert split.persons[0].keypoints[1].tolist() == [6.4, 24, 2]

"""A dataset's check-up: what it counts, and that planted damage is found or repaired, all of it and nothing else."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from conftest import edit, lay_sideways, run_command
from PIL import Image

from hgnb.data import coco
from hgnb.data.check import check
from hgnb.data.drawn.synthetic import write
from hgnb.data.images import DamagedImage, decode, header
from hgnb.errors import InputError
from hgnb.training.prediction import photograph

BOX = "boxes that are absent or empty, drawn around the keypoints"
PLACE = "persons with keypoints outside their picture, these taken as unlabelled"
NO_FLAG = "visibility that is none of 0, 1, 2, taken as unlabelled"


def first(keypoints: list) -> int:
    """Where the first labelled triple begins."""
    return 3 * next(k for k in range(17) if keypoints[3 * k + 2])


# What is done to an image's record and file, and to a person's record; where it is a repair, by the repair's words.
FAULTS = {"undecodable image", "missing image", "image size", "keypoint length", "unknown category"}
IMAGES = [
    ("undecodable image", lambda i, f: f.write_bytes(f.read_bytes()[: f.stat().st_size // 2])),
    ("undecodable image", lambda i, f: f.write_text("<html>404</html>")),
    ("undecodable image", lambda i, f: f.write_bytes(b"")),
    ("missing image", lambda i, f: f.unlink()),
    ("image size", lambda i, f: i.update(width=i["width"] + 3)),
    ("image sizes that aren't listed, read from the file", lambda i, f: i.update(height=None)),
    # there, but by a way that leaves the folder
    ("pictures found under another path or spelling than listed", lambda i, f: i.update(file_name=f"../x/{f.name}")),
    # EXIF says it lies sideways, and the listed size fits neither way
    ("image size", lambda i, f: (i.update(height=i["height"] + 7), lay_sideways(f))),
]
PERSONS = [
    (BOX, lambda a, k: a["bbox"].__setitem__(0, 5000)),
    (BOX, lambda a, k: a["bbox"].__setitem__(2, 0)),
    (BOX, lambda a, k: a["bbox"].__setitem__(3, float("nan"))),
    (PLACE, lambda a, k: k.__setitem__(first(k), -4)),
    (PLACE, lambda a, k: k.__setitem__(first(k) + 1, float("nan"))),
    (PLACE, lambda a, k: k.__setitem__(first(k), 10_000)),
    (NO_FLAG, lambda a, k: k.__setitem__(first(k) + 2, 7)),
    ("keypoint length", lambda a, k: k.pop()),
    ("num_keypoints counted again", lambda a, k: a.update(num_keypoints=99)),
    ("unknown category", lambda a, k: a.update(category_id=99)),
]


@pytest.fixture
def damaged(real, tmp_path):
    """coco-mini with twenty faults of different kinds in its training split, each on a photograph of its own.

    The folder, the faults as (kind, id) and the repairs by their words.
    """
    folder = shutil.copytree(real("coco-mini"), tmp_path / "damaged")
    file = folder / "annotations/person_keypoints_train2017.json"
    content = json.loads(file.read_text())
    images = content["images"][: len(IMAGES) + 1]
    usable = {a["image_id"]: a for a in content["annotations"] if not a["iscrowd"] and a["num_keypoints"] > 2}
    persons = [a for number, a in usable.items() if number not in {i["id"] for i in images}][: len(PERSONS) + 1]
    for (_, change), image in zip(IMAGES, images, strict=False):
        change(image, folder / "train2017" / image["file_name"])
    for (_, change), person in zip(PERSONS, persons, strict=False):
        change(person, person["keypoints"])
    content["images"].append(images[-1])
    content["annotations"].append(persons[-1])
    file.write_text(json.dumps(content))
    planted = [
        (kind, entry["id"])
        for kind, entry in zip([k for k, _ in IMAGES + PERSONS], images[:-1] + persons[:-1], strict=True)
    ]
    repairs = Counter(kind for kind, _ in planted if kind not in FAULTS)
    repairs |= {"images listed twice alike, read once": 1, "annotations listed twice alike, read once": 1}
    return folder, {fault for fault in planted if fault[0] in FAULTS}, repairs


def test_twenty_planted_faults_are_found_and_nothing_else(damaged, capsys):
    folder, wanted, repairs = damaged
    report = check(folder)
    told, *faults = sorted(report.faults, key=lambda f: f.id is not None)
    assert "1 of 88 pictures are missing" in told.reason
    assert {(f.kind, f.id) for f in faults} == wanted and len(faults) + repairs.total() == 20
    assert {f.split for f in faults} == {"train2017"}
    assert all(f.reason.endswith(".") and str(folder) not in f.reason for f in faults)
    assert [split.repaired for split in report.splits] == [repairs, Counter()]
    assert [s.kind for s in report.suspicious] == ["EXIF orientation"]  # of the last
    assert run_command("data", "check", folder) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "Dropped: 8 faults" in printed and all(f"{number}" in printed for _, number in wanted)
    assert all(words[:30] in printed for words in repairs)


@pytest.mark.parametrize("name", ["coco-mini", "lspet"])
def test_real_data_are_sound(real, name, capsys):
    assert run_command("data", "check", real(name)) == 0
    assert "No damage found" in capsys.readouterr().out


def test_coco_mini_in_numbers(real):
    """Against the table that comes with the data."""
    train, val = check(real("coco-mini")).splits
    rows = [[s.counts[k] for k in ("images", "annotations", "persons", "crowds")] for s in (train, val)]
    assert rows == [[88, 341, 207, 9], [123, 404, 257, 9]]
    assert [s.steps["with every keypoint"]["annotations"] for s in (train, val)] == [12, 17]
    assert "Attribution License" in {image.licence for image in train.images.values()}


def test_drawn_people_are_sound(tmp_path):
    write(tmp_path / "drawn", train_images=6, val_images=3, processes=1)
    assert check(tmp_path / "drawn").faults == []


def test_steps_and_counts_by_hand(coco_folder, capsys):
    report = check(coco_folder)
    train, val = report.splits
    assert train.steps == {
        "any": {"images": 12, "annotations": 26},
        "without crowds": {"images": 12, "annotations": 25},
        "with keypoints": {"images": 12, "annotations": 24},
        "with every keypoint": {"images": 8, "annotations": 16},  # every third image lacks the nose
    }
    assert train.counts == {
        "images": 12, "annotations": 26, "crowds": 1, "without keypoints": 1, "persons": 24, "images with persons": 12,
    }  # fmt: skip
    assert train.modes == {"RGB": 12} and val.counts["images"] == 6
    run_command("data", "check", coco_folder)
    printed = " ".join(capsys.readouterr().out.split())
    for row in ("any 26 (12)", "v = 2 88", "v = 1 24", "v = 0 8", "96 x 80 12 6", "RGB 12 6"):
        assert f"{row} " in printed, row


def test_damaged_persons_count_among_any_and_remain_in_no_step_of_their_own(coco_folder):
    before = coco.read(coco_folder, "train").steps
    edit(coco_folder, lambda d: [a["keypoints"].pop() for a in d["annotations"][:2]], "train")  # the first image's
    after = coco.read(coco_folder, "train")
    assert after.steps == before and after.counts["persons"] == 22


def fourth(**fields):
    """Changes the fourth annotation."""
    return lambda content: content["annotations"][3].update(fields)


def has_one_fault(folder, kind, words) -> None:
    (fault,) = check(folder).faults
    assert fault.kind == kind and words in fault.reason and str(folder) not in fault.reason
    assert run_command("data", "check", folder) == 1


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda d: d["annotations"].append([7]), "annotation record", "no record of fields"),
        (lambda d: d["annotations"][3]["keypoints"].pop(), "keypoint length", "not 3 x 5"),
        (fourth(keypoints=[float("nan"), 9, 2] * 5), "keypoint place", "is no place"),
        (fourth(keypoints=[97, 9, 2] * 5), "keypoint place", "outside the image of 96 x 80"),
        (fourth(keypoints=["x"] * 15), "keypoint numbers", "aren't a list of numbers"),
        (fourth(category_id=[1]), "unknown category", "isn't listed"),
        (fourth(image_id=77), "unknown image", "the image 77, which isn't listed"),
        (fourth(image_id=[1]), "unknown image", "isn't listed"),
        (lambda d: d["images"].append({"id": "x"}), "file name", "no file name"),
        (lambda d: d["images"].append({"id": [1]}), "image record", "no whole number"),
        (lambda d: d["annotations"][24].update(bbox=[1, 1, -3, 3]), "box", "1, 1, -3, 3"),  # a crowd
    ],
)
def test_each_damage_is_a_row(coco_folder, change, kind, words):
    edit(coco_folder, change, "train")
    has_one_fault(coco_folder, kind, words)
    coco.check(coco_folder)


@pytest.mark.parametrize(
    ("spoil", "kind", "words", "said"),
    [
        (lambda f: f.write_text("{"), "annotation file", "not JSON", "is not JSON"),
        (lambda f: f.unlink(), "annotation file", "is missing", "person_keypoints_val"),
        (lambda f: f.write_text("[]"), "annotation file", "no list", "no list of images"),
        (lambda f: edit(f.parents[1], lambda d: d["annotations"].clear(), "val"), "no person", "left",
         "no person with"),
        (lambda f: edit(f.parents[1], lambda d: d["categories"][0]["keypoints"].reverse(), "val"), "categories",
         "differ", "differ"),
    ],
)  # fmt: skip
def test_what_leaves_nothing_to_read_is_one_sentence(coco_folder, spoil, kind, words, said):
    spoil(coco_folder / "annotations/person_keypoints_val2017.json")
    has_one_fault(coco_folder, kind, words)
    with pytest.raises(InputError, match=said) as error:
        coco.check(coco_folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("split", "spoil", "words"),
    [
        ("train2017", lambda p: p.unlink(), "12 of 12 pictures are missing; looked for in train"),
        ("val2017", lambda p: p.write_text("version https://git-lfs"), "'git lfs pull'"),
    ],
)
def test_a_split_without_pictures_is_one_sentence(coco_folder, split, spoil, words):
    for picture in (coco_folder / split).iterdir():
        spoil(picture)
    with pytest.raises(InputError, match=words):
        coco.check(coco_folder)


def test_no_folder_is_one_sentence(tmp_path, capsys):
    assert run_command("data", "check", tmp_path / "nowhere") == 1
    assert capsys.readouterr().err.startswith("There is no folder")


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x.png", "a/../../x.png", "..\\x.png", "C:\\x.png"])
def test_a_file_name_never_leads_out_of_the_folder(coco_folder, name):
    shutil.copy(coco_folder / "train2017/001.png", coco_folder.parent / "x.png")
    edit(coco_folder, lambda d: d["images"][4].update(file_name=name), "train")
    _, fault = check(coco_folder).faults
    assert ((fault.kind, fault.id) == ("missing image", 5) and "x.png" in fault.reason) or "passwd" in fault.reason
    assert coco.load(coco_folder, "train").dropped == {"missing image": [9, 10]}


def test_a_folder_within_the_folder_is_fine(coco_folder):
    (coco_folder / "train2017/more").mkdir()
    (coco_folder / "train2017/005.png").rename(coco_folder / "train2017/more/005.png")
    edit(coco_folder, lambda d: d["images"][4].update(file_name="more/005.png"), "train")
    assert check(coco_folder).sound


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "LA", "1"])
def test_other_colour_modes_become_rgb(coco_folder, mode, tmp_path):
    file = coco_folder / "train2017" / "001.png"
    grey = Image.new("RGB", (96, 80), (120, 120, 120))
    special = {"I;16": Image.fromarray(np.full((80, 96), 120 * 257, np.uint16)), "P": grey.quantize(4)}
    changed = special[mode] if mode in special else grey.convert(mode)
    changed.save(file, format="TIFF" if mode == "CMYK" else "PNG")
    report = check(coco_folder)
    assert report.sound and report.splits[0].modes == {"RGB": 11, mode: 1}
    picture = decode(file, (96, 80)).rgb
    assert picture.mode == "RGB" and picture.size == (96, 80)
    if mode != "1":
        assert np.abs(np.asarray(picture).astype(int) - 120).max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16, 20])
def test_greys_of_any_depth_are_seen(tmp_path, bits):
    """A ramp of 256 greys, in as many bits as a camera or a scanner has; as a float from 0 to 1, too."""
    ramp = np.arange(256).repeat(64).reshape(128, 128)
    deep = ramp << (bits - 8)
    Image.fromarray(deep.astype(np.uint16 if bits <= 16 else np.int32)).save(tmp_path / "a.tif")
    assert np.array_equal(np.asarray(decode(tmp_path / "a.tif", (128, 128)).rgb)[..., 1], ramp)
    Image.fromarray((ramp / 255).astype(np.float32)).save(tmp_path / "b.tif")
    assert np.array_equal(np.asarray(decode(tmp_path / "b.tif", (128, 128)).rgb)[..., 2], ramp)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer, which 'git lfs pull' replaces"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, AVIF or a video: convert it to JPEG"),
        (b"<html>404</html>", "it is no image"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, words):
    (tmp_path / "a.jpg").write_bytes(content)
    for attempt in (header, lambda file: decode(file, (5, 5)), photograph):
        with pytest.raises(ValueError, match=words):
            attempt(tmp_path / "a.jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_pixels_are_those_stored_whatever_pillow_turns(tmp_path, kind, orientation):
    """Pillow turns a TIFF as it loads it, and leaves other formats as they are stored."""
    stored, exif = np.random.default_rng(orientation).integers(0, 256, (40, 60, 3), np.uint8), Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / f"a.{kind}"
    Image.fromarray(stored).save(file, exif=exif)
    read = decode(file, (60, 40))
    assert not read.turned and np.array_equal(np.asarray(read.rgb), stored)
    if orientation < 5:
        with pytest.raises(DamagedImage, match="is 60 x 40 pixels, but listed as 40 x 60"):
            decode(file, (40, 60))
        return
    turned = decode(file, (40, 60))
    as_seen = {5: stored.swapaxes(0, 1), 6: np.rot90(stored, -1), 7: np.rot90(stored, 2).swapaxes(0, 1)}
    assert turned.turned and np.array_equal(np.asarray(turned.rgb), as_seen.get(orientation, np.rot90(stored)))


def test_a_turned_photograph_is_counted(real, tmp_path):
    shutil.copytree(real("coco-mini"), tmp_path / "mini")
    lay_sideways(tmp_path / "mini/train2017/000000000790.jpg", turn=True)
    lay_sideways(tmp_path / "mini/train2017/000000005802.jpg")
    report = check(tmp_path / "mini")
    assert report.sound and [s.turned for s in report.splits] == [1, 0]

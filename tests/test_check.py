"""A dataset's check-up: what it counts, and that planted damage is found or repaired, all of it and nothing else."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from conftest import run_command
from PIL import Image

from hgnb.data import coco
from hgnb.data.check import check
from hgnb.data.drawn.synthetic import write
from hgnb.data.images import DamagedImage, decode, header
from hgnb.data.prepared import prepare
from hgnb.data.splits import DataConfig
from hgnb.training.prediction import photograph

KINDS = {"undecodable image", "missing image", "image size", "keypoint length", "unknown category"}
BOX = "boxes that are absent or empty, drawn around the keypoints"
PLACE = "persons with keypoints outside their picture, these taken as unlabelled"


class Planted:
    """A copy of coco-mini whose training split is damaged one record at a time."""

    def __init__(self, folder):
        self.folder, self.root = folder, folder / "train2017"
        self.file = folder / "annotations/person_keypoints_train2017.json"
        self.content = json.loads(self.file.read_text())
        usable = [a for a in self.content["annotations"] if not a["iscrowd"] and a["num_keypoints"] > 2]
        self.annotations = iter(sorted(usable, key=lambda a: -a["id"]))
        self.images = iter(self.content["images"])
        self.hurt, self.wanted, self.repaired = set(), set(), Counter()

    def image(self, kind: str) -> dict:
        """An image that nothing has touched; `kind` of what is done to it, or how its repair is called."""
        entry = next(i for i in self.images if i["id"] not in self.hurt)
        self.hurt.add(entry["id"])
        return self._noted(kind, entry)

    def annotation(self, kind: str) -> dict:
        """A person with keypoints, on an image that nothing has touched."""
        entry = next(a for a in self.annotations if a["image_id"] not in self.hurt)
        self.hurt.add(entry["image_id"])
        return self._noted(kind, entry)

    def _noted(self, kind: str, entry: dict) -> dict:
        if kind in KINDS:
            self.wanted.add((kind, entry["id"]))
        else:
            self.repaired[kind] += 1
        return entry

    def labelled(self, kind: str) -> tuple[list, int]:
        """The keypoints of such a person, and where one of its labelled triples begins."""
        keypoints = self.annotation(kind)["keypoints"]
        return keypoints, 3 * next(k for k in range(17) if keypoints[3 * k + 2])

    def save(self):
        self.file.write_text(json.dumps(self.content))


@pytest.fixture
def damaged(real, tmp_path) -> Planted:
    """Twenty faults of different kinds in coco-mini's training split, of which eight cost persons."""
    shutil.copytree(real("coco-mini"), tmp_path / "damaged")
    plant = Planted(tmp_path / "damaged")
    _plant_images(plant)
    _plant_annotations(plant)
    plant.save()
    assert len(plant.wanted) == 8 and plant.repaired.total() == 12
    return plant


def _plant_images(plant: Planted):
    file = plant.root / plant.image("undecodable image")["file_name"]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])  # 1: truncated
    (plant.root / plant.image("undecodable image")["file_name"]).write_text("<html>404</html>")  # 2: no image
    (plant.root / plant.image("undecodable image")["file_name"]).write_bytes(b"")  # 3: empty
    (plant.root / plant.image("missing image")["file_name"]).unlink()  # 4
    plant.image("image size")["width"] += 3  # 5
    plant.image("image sizes that aren't listed, read from the file")["height"] = None  # 6
    entry = plant.image("pictures found under another path or spelling than listed")
    entry["file_name"] = f"../train2017/{entry['file_name']}"  # 7: there, but by a way that leaves the folder
    plant.content["images"].append(dict(plant.image("images listed twice alike, read once")))  # 8
    turned = plant.image("image size")  # 9: EXIF says it lies sideways, and the listed size fits neither way
    turned["height"] += 7
    _lay_sideways(plant.root / turned["file_name"])


def _lay_sideways(file, turn: bool = False):
    """Gives a JPEG an EXIF orientation that a viewer turns it by; `turn` stores its pixels turned back first."""
    with Image.open(file) as image:
        exif = image.getexif()
        exif[0x0112] = 6
        pixels = image.transpose(Image.Transpose.ROTATE_90) if turn else image.copy()
    pixels.save(file, exif=exif, quality=95)


def _plant_annotations(plant: Planted):
    plant.annotation(BOX)["bbox"][0] = 5000  # 10: outside
    plant.annotation(BOX)["bbox"][2] = 0  # 11: empty
    plant.annotation(BOX)["bbox"][3] = float("nan")  # 12
    keypoints, at = plant.labelled(PLACE)
    keypoints[at] = -4  # 13
    keypoints, at = plant.labelled(PLACE)
    keypoints[at + 1] = float("nan")  # 14
    keypoints, at = plant.labelled(PLACE)
    keypoints[at] = 10_000  # 15
    keypoints, at = plant.labelled("visibility that is none of 0, 1, 2, taken as unlabelled")
    keypoints[at + 2] = 7  # 16
    plant.annotation("keypoint length")["keypoints"].pop()  # 17
    plant.annotation("num_keypoints counted again")["num_keypoints"] += 1  # 18
    plant.annotation("unknown category")["category_id"] = 99  # 19
    plant.content["annotations"].append(dict(plant.annotation("annotations listed twice alike, read once")))  # 20


def test_twenty_planted_faults_are_found_and_nothing_else(damaged, capsys):
    report = check(damaged.folder)
    told, *faults = sorted(report.faults, key=lambda f: f.id is not None)
    assert "1 of 88 pictures are missing" in told.reason
    assert {(f.kind, f.id) for f in faults} == damaged.wanted
    assert len(faults) == 8 and {f.split for f in faults} == {"train2017"}
    assert all(f.reason.endswith(".") and str(damaged.folder) not in f.reason for f in faults)
    assert [each.split.repaired for each in report.splits] == [damaged.repaired, Counter()]
    assert [s.kind for s in report.suspicious] == ["EXIF orientation"]  # of the ninth
    assert run_command("data", "check", damaged.folder) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "Dropped: 8 faults" in printed and all(f"{number}" in printed for _, number in damaged.wanted)
    assert all(words[:30] in printed for words in damaged.repaired)


def test_a_damaged_folder_is_prepared_without_the_damaged(damaged, tmp_path):
    before = coco.load(damaged.folder, "val")
    data = prepare(damaged.folder, DataConfig(side=64), tmp_path / "cache")
    report = {each.split.name: each.split for each in check(damaged.folder).splits}
    dropped = data.manifest["dropped"]
    assert dropped["val2017"] == {} and data.manifest["persons"]["val"] == len(before.persons)
    assert dropped["train2017"] == {kind: len(ids) for kind, ids in report["train2017"].dropped.items()}
    persons = data.manifest["persons"]
    assert persons["train"] + persons["test"] == report["train2017"].counts["persons"]
    # every person of the whole training split is either there or among the dropped, for the planted reason
    ids = np.concatenate([data.split(s).person_ids for s in ("train", "test")])
    lost = data.manifest["dropped_ids"]["train2017"]
    lost = {n for some in lost.values() for n in some}
    whole = {a["id"] for a in damaged.content["annotations"] if not a["iscrowd"] and a["num_keypoints"]}
    assert set(ids.tolist()) == whole - lost and len(ids) == len(whole - lost)
    assert {n for kind, n in damaged.wanted if kind in ("keypoint length", "unknown category")} <= lost
    for name in ("train", "test"):
        split = data.split(name)
        assert len(split.crops) == len(split.keypoints) == len(split) == persons[name]
        assert split.crops.reshape(len(split), -1).any(1).all(), "a row without a picture"
    coco.check(damaged.folder)


@pytest.mark.parametrize("name", ["coco-mini", "lspet"])
def test_real_data_are_sound(real, name, capsys):
    assert run_command("data", "check", real(name)) == 0
    assert "No damage found" in capsys.readouterr().out


def test_coco_mini_in_numbers(real):
    """Against the table that comes with the data."""
    train, val = (each.split for each in check(real("coco-mini")).splits)
    rows = [[s.counts[k] for k in ("images", "annotations", "persons", "crowds")] for s in (train, val)]
    assert rows == [[88, 341, 207, 9], [123, 404, 257, 9]]
    assert [s.steps["with every keypoint"]["annotations"] for s in (train, val)] == [12, 17]
    assert "Attribution License" in {image.licence for image in train.images.values()}


def test_drawn_people_are_sound(tmp_path):
    write(tmp_path / "drawn", train_images=6, val_images=3, processes=1)
    assert check(tmp_path / "drawn").faults == []


def test_steps_and_counts_by_hand(coco_folder, capsys):
    report = check(coco_folder)
    train, val = (each.split for each in report.splits)
    assert train.steps == {
        "any": {"images": 12, "annotations": 26},
        "without crowds": {"images": 12, "annotations": 25},
        "with keypoints": {"images": 12, "annotations": 24},
        "with every keypoint": {"images": 8, "annotations": 16},  # every third image lacks the nose
    }
    assert report.splits[0].modes == {"RGB": 12} and val.counts["images"] == 6
    run_command("data", "check", coco_folder)
    printed = " ".join(capsys.readouterr().out.split())
    for row in ("any 26 (12)", "v = 2 88", "v = 1 24", "v = 0 8", "96 x 80 12 6", "RGB 12 6"):
        assert f"{row} " in printed, row


def test_damaged_persons_count_among_any_and_remain_in_no_step_of_their_own(coco_folder):
    before = coco.read(coco_folder, "train").steps
    _edit(coco_folder, lambda d: [a["keypoints"].pop() for a in d["annotations"][:2]])  # the first image's persons
    after = coco.read(coco_folder, "train")
    assert after.steps == before and after.counts["persons"] == 22


def _edit(folder, change, split="train2017"):
    file = folder / f"annotations/person_keypoints_{split}.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (lambda f: (f / "annotations/person_keypoints_val2017.json").write_text("{"), "annotation file", "not JSON"),
        (lambda f: (f / "annotations/person_keypoints_val2017.json").unlink(), "annotation file", "is missing"),
        (lambda f: (f / "annotations/person_keypoints_val2017.json").write_text("[]"), "annotation file", "no list"),
        (lambda f: _edit(f, lambda d: d.update(annotations=[]), "val2017"), "no person", "left"),
        (lambda f: _edit(f, lambda d: d["categories"][0]["keypoints"].reverse()), "categories", "differ"),
        (lambda f: _edit(f, lambda d: d["annotations"].append([7])), "annotation record", "no record of fields"),
        (lambda f: _edit(f, lambda d: d["images"].append({"id": "x"})), "file name", "no file name"),
        (lambda f: _edit(f, lambda d: d["images"].append({"id": [1]})), "image record", "no whole number"),
        (lambda f: _edit(f, lambda d: d["annotations"][0].update(image_id=[1])), "unknown image", "isn't listed"),
        (lambda f: _edit(f, lambda d: d["annotations"][24].update(bbox=[1, 1, -3, 3])), "box", "-3 x 3"),  # a crowd
    ],
)
def test_each_damage_is_a_row(coco_folder, spoil, kind, words):
    spoil(coco_folder)
    (fault,) = check(coco_folder).faults
    assert fault.kind == kind and words in fault.reason and str(coco_folder) not in fault.reason
    assert run_command("data", "check", coco_folder) == 1


def test_no_folder_is_one_sentence(tmp_path, capsys):
    assert run_command("data", "check", tmp_path / "nowhere") == 1
    assert capsys.readouterr().err.startswith("There is no folder")


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x.png", "a/../../x.png", "..\\x.png", "C:\\x.png"])
def test_a_file_name_never_leads_out_of_the_folder(coco_folder, name):
    shutil.copy(coco_folder / "train2017/001.png", coco_folder.parent / "x.png")
    _edit(coco_folder, lambda d: d["images"][4].update(file_name=name))
    _, fault = check(coco_folder).faults
    assert ((fault.kind, fault.id) == ("missing image", 5) and "x.png" in fault.reason) or "passwd" in fault.reason
    assert coco.load(coco_folder, "train").dropped == {"missing image": [9, 10]}


def test_a_folder_within_the_folder_is_fine(coco_folder):
    (coco_folder / "train2017/more").mkdir()
    (coco_folder / "train2017/005.png").rename(coco_folder / "train2017/more/005.png")
    _edit(coco_folder, lambda d: d["images"][4].update(file_name="more/005.png"))
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
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "a Git LFS pointer, which 'git lfs pull' replaces",
        ),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, AVIF or a video: convert it to JPEG"),
        (b"<html>404</html>", "it is no image"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, words):
    (tmp_path / "a.jpg").write_bytes(content)
    for attempt in (header, lambda file: decode(file, (5, 5)), photograph):
        with pytest.raises(ValueError, match=words):
            attempt(tmp_path / "a.jpg")


def test_pixels_count_as_stored_unless_the_list_says_otherwise(tmp_path):
    """Orientation 6: a viewer turns the stored pixels clockwise, so their left edge becomes the top."""
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[:, :10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    as_stored, turned = decode(tmp_path / "a.png", (60, 40)), decode(tmp_path / "a.png", (40, 60))
    assert not as_stored.turned and np.array_equal(np.asarray(as_stored.rgb), stored)
    assert turned.turned and np.asarray(turned.rgb)[:10].all() and not np.asarray(turned.rgb)[10:].any()
    with pytest.raises(DamagedImage, match="is 60 x 40 pixels, but listed as 41 x 60"):
        decode(tmp_path / "a.png", (41, 60))


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
    _lay_sideways(tmp_path / "mini/train2017/000000000790.jpg", turn=True)
    _lay_sideways(tmp_path / "mini/train2017/000000005802.jpg")
    report = check(tmp_path / "mini")
    assert report.sound and [s.turned for s in report.splits] == [1, 0]

"""COCO layout to crops to heatmaps: by hand, against scipy, and as properties."""

import hashlib

import numpy as np
import pytest
import torch
from conftest import edit
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from hgnb.data import coco
from hgnb.data.crops import CropTransform, keypoints_in, square, square_of_box
from hgnb.data.dataset import loader
from hgnb.data.heatmaps import HeatmapConfig, cells, heatmaps, responses
from hgnb.data.intake import layouts
from hgnb.data.prepared import prepare
from hgnb.data.schema import KeypointSchema
from hgnb.data.splits import DataConfig, divide
from hgnb.errors import InputError


def person(box, keypoints, size=(200, 100)):
    return coco.Person(1, 1, None, size, np.array(box, float), np.array(keypoints, float))


def test_schema_sides_pairs_and_groups():
    schema = KeypointSchema(("right_ankle", "left_ankle", "head_top", "neck", "left_shoulder", "left_hip"))
    assert schema.pairs == ((1, 0),)
    assert schema.sides == ("right", "left", "centre", "centre", "left", "left")
    assert {g: i.tolist() for g, i in schema.groups.items()} == {"head": [2], "torso": [3, 4], "limbs": [0, 1, 5]}


def test_a_coordinate_without_a_label_means_nothing(coco_folder):
    """COCO writes 0, 0, 0; whatever else stands there is no damage, and nothing reads it."""
    nan = float("nan")
    edit(coco_folder, lambda d: d["annotations"][0]["keypoints"].__setitem__(slice(0, 3), [nan, -5, 0]), "train")
    split = coco.load(coco_folder, "train")
    assert not split.faults and split.persons[0].keypoints[0].tolist() == [0, 0, 0]


def test_square_by_hand():
    # Box 20 x 40 -> side 44 with the tenth; keypoints' middle (50, 40) -> centre between pixels 50 and 51.
    crop = square(person((0, 0, 20, 40), [(40, 20, 2), (60, 60, 1), (0, 0, 0)]), size=22, margin=0.1, rule="shift")
    assert (crop.x, crop.y, crop.side, crop.size) == (28, 18, 44, 22)


def test_square_moves_inside_and_shrinks_to_fit():
    near_edge = person((180, 10, 18, 60), [(198, 20, 2), (190, 60, 2)])
    crop = square(near_edge, size=64, margin=0.1, rule="shift")
    assert (crop.x, crop.side) == (200 - 66, 66)
    literal = square(near_edge, size=64, margin=0.1, rule="vertical")
    assert literal.side == round(2 * (200 - 194.5)) and literal.x + literal.side <= 200  # x stays centred on 194
    for x in (0, 199):  # down to a pixel at the border
        crop = square(person((0, 0, 20, 40), [(x, 50, 2)]), size=64, margin=0.1, rule="vertical")
        assert (crop.x, crop.y, crop.side) == (x, 50, 1)
    huge = square(person((0, 0, 200, 100), [(10, 50, 2), (190, 50, 2)]), size=64, margin=0.1, rule="shift")
    assert (huge.x, huge.y, huge.side) == (50, 0, 100)


def test_a_square_around_keypoints_that_do_not_fit_stays_centred():
    """From pixel 1 to pixel 11 they need eleven pixels, and the side is ten: its middle is nearest to theirs at 6.5."""
    crop = square(person((0, 0, 10, 10), [(1.2, 50, 2), (11.2, 50, 2)]), size=64, margin=0, rule="shift")
    assert (crop.x, crop.side) == (2, 10)


@pytest.mark.parametrize(("last", "x"), [(8.5, 1), (7.5, 0)])
def test_a_keypoint_between_two_pixels_is_in_the_right_one(last, x):
    """From half a pixel on it lies in the next: nine pixels from 1 on hold both, and eight leave one to spare."""
    someone = person((0, 0, 9, 9), [(0.5, 50, 2), (last, 50, 2)])
    crop = square(someone, size=64, margin=0, rule="shift")
    assert (crop.x, crop.side) == (x, 9) and (keypoints_in(someone, crop)[:, 2] > 0).all()


@pytest.mark.parametrize(("box", "corner"), [((10, 20, 30, 40), (3, 18)), ((10, 20, 40, 30), (8, 13))])
def test_the_square_of_a_box_by_hand(box, corner):
    """Side 44, around the middle of the box: of 30 pixels from 10 on it lies between pixels 24 and 25."""
    crop = square_of_box(np.array(box), (200, 100), size=22, margin=0.1, rule="shift")
    assert (crop.x, crop.y, crop.side, crop.size) == (*corner, 44, 22)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 400), st.sampled_from([32, 64, 128, 256]), st.data())
def test_points_come_back(x, y, side, size, data):
    crop = CropTransform(x, y, side, size)
    inside = st.tuples(st.floats(x - 0.5, x + side - 0.5), st.floats(y - 0.5, y + side - 0.5))
    point = np.array(data.draw(inside))
    there = crop.to_crop(point)
    assert ((there >= -0.5 - 1e-9) & (there <= size - 0.5 + 1e-9)).all()
    assert np.abs(crop.to_image(there) - point).max() < 1e-6


@settings(max_examples=300)
@given(st.integers(20, 300), st.integers(20, 300), st.floats(1, 400), st.data())
def test_a_crop_lies_in_its_image_and_contains_every_keypoint_that_fits(width, height, longer, data):
    """In halves and quarters of a pixel too, which sit between two pixels' squares; by the literal rule not all."""
    quarters = st.tuples(st.integers(0, 4 * (width - 1)), st.integers(0, 4 * (height - 1)))
    points = np.array(data.draw(st.lists(quarters, min_size=1, max_size=6))) / 4
    someone = person((0, 0, longer, 1), np.column_stack([points, np.full(len(points), 2)]), (width, height))
    literal, crop = (square(someone, size=64, margin=0.1, rule=rule) for rule in ("vertical", "shift"))
    for made in (literal, crop):
        assert 0 <= made.x <= width - made.side and 0 <= made.y <= height - made.side and made.side >= 1
    kept = keypoints_in(someone, crop)[:, 2] > 0
    assert kept.all() == (np.ptp(np.floor(points + 0.5), axis=0) < crop.side).all()
    assert crop.side == max(1, round(min(longer * 1.1, width, height)))


def test_an_unknown_crop_rule_is_refused():
    with pytest.raises(InputError, match="did you mean 'shift'"):
        square(person((0, 0, 9, 9), [(1, 1, 2)]), size=64, margin=0.1, rule="shfit")


def test_a_keypoint_outside_the_crop_is_unlabelled():
    """Pixel 10 is its first and 14 its last; one reaches from half a pixel before its centre to half behind."""
    someone = person((0, 0, 10, 10), [(5, 5, 2), (50, 5, 2), (7, 3, 0)])
    found = keypoints_in(someone, CropTransform(0, 0, 10, 20))
    assert found.tolist() == [[10.5, 10.5, 2], [0, 0, 0], [0, 0, 0]]
    at = [9.4, 9.6, 10, 14, 14.4, 14.6]
    for points in ([(x, 12, 2) for x in at], [(12, y, 1) for y in at]):
        kept = keypoints_in(person((0, 0, 1, 1), points), CropTransform(10, 10, 5, 5))[:, 2] > 0
        assert kept.tolist() == [False, True, True, True, True, False]


def test_pixels_and_points_agree():
    from PIL import Image

    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[20:23, 40:43] = 255  # a spot around (41, 21)
    crop = CropTransform(30, 10, 30, 120)
    spot = crop.apply(Image.fromarray(pixels))[..., 0].astype(float)
    rows, columns = np.indices(spot.shape)
    centre = np.array([(columns * spot).sum(), (rows * spot).sum()]) / spot.sum()
    assert np.abs(centre - crop.to_crop(np.array([41.0, 21.0]))).max() < 0.01


@pytest.mark.parametrize(("size", "side"), [(3, 12), (5, 20), (16, 64), (64, 256)])
def test_heatmaps_are_scipys(size, side):
    rng = np.random.default_rng(size)
    points = rng.uniform(0, side - 1, (6, 4, 2)).astype(np.float32)
    points[0, :2] = [[0, 0], [side - 1, side - 1]]  # the borders reflect
    visibility = rng.integers(0, 3, (6, 4))
    visibility[0, :2] = (1, 2)
    made = heatmaps(
        torch.from_numpy(points), torch.from_numpy(visibility), side=side, size=size, config=HeatmapConfig()
    ).numpy()
    for b, k in np.ndindex(6, 4):
        wanted = np.zeros((size, size))
        if visibility[b, k]:
            x, y = np.floor(points[b, k] * size / side).astype(int)
            wanted[y, x] = 1
            wanted = gaussian_filter(wanted, 0.5 if visibility[b, k] == 2 else 1.0, mode="reflect", truncate=4)
        assert np.abs(made[b, k] - wanted).max() < 2e-7, "float32's own rounding"
        assert made[b, k].sum() == pytest.approx(float(visibility[b, k] > 0), abs=1e-5)


@pytest.mark.parametrize(("sigma", "reach"), [(0.5, 2), (1.0, 4), (0.7, 3)])
def test_a_response_ends_at_four_sigma(sigma, reach):
    row = responses(32, sigma)[16]
    assert row.nonzero().flatten().tolist() == list(range(16 - reach, 17 + reach))


def test_peak_targets_peak_at_one():
    maps = heatmaps(
        torch.tensor([[[8.0, 4.0]]]), torch.tensor([[1]]), side=20, size=5, config=HeatmapConfig("peak", 1.0, 1.0)
    )
    assert maps.shape == (1, 1, 5, 5)
    assert maps.max() == 1 and maps[0, 0, 1, 2] == 1


def test_cells_floor_and_clamp():
    points = torch.tensor([[-0.5, 3.99], [4.0, 19.4], [-9.0, 25.0]])
    assert cells(points, 20, 5).tolist() == [[0, 0], [1, 4], [0, 4]]


def test_prepared_is_made_once_and_whole(coco_folder, tmp_path):
    config = DataConfig(side=64)
    data = prepare(coco_folder, config, tmp_path / "cache")
    persons = data.manifest["persons"]
    assert persons == {"train": 16, "val": 12, "test": 8}
    train, test = data.split("train"), data.split("test")
    assert not set(train.image_ids) & set(test.image_ids)
    assert train.crops.shape == (16, 64, 64, 3) and train.keypoints.shape == (16, 5, 3)
    assert data.mean_rgb == pytest.approx(train.crops.reshape(-1, 3).mean(0) / 255, abs=1e-6)
    plain = hashlib.sha256()  # of what lies on disk
    for split in map(data.split, ("train", "val", "test")):
        plain.update(b"".join(hashlib.blake2b(crop.tobytes(), digest_size=16).digest() for crop in split.crops))
        plain.update(split.keypoints.tobytes())
    again = prepare(coco_folder, config, tmp_path / "cache")
    assert again.folder == data.folder and again.checksum == data.checksum == plain.hexdigest()
    # records tell their data by it: whoever changes what these dots come to makes recorded results stale
    assert data.checksum == "a9c71205e5dbb71cfe755ab968491fe471a1dc21631abc151f157cb732c798bb"
    other = DataConfig(side=48, rule="vertical", margin=0.3, test_by="person", split_seed=3, min_labelled=4)
    known = "bff4e21a8619d80bba7a58b955721d0786081dfc88052424a673b314e41a961f"
    assert prepare(coco_folder, other, tmp_path / "cache").checksum == known
    assert prepare(coco_folder, DataConfig(side=32), tmp_path / "cache").folder != data.folder
    assert not list((tmp_path / "cache").glob("*.partial"))


def test_another_image_file_makes_other_data(coco_folder, tmp_path):
    config, cache = DataConfig(side=32), tmp_path / "cache"
    first = prepare(coco_folder, config, cache).folder
    assert prepare(coco_folder, config, cache).folder == first
    (coco_folder / "val2017" / "more").mkdir()
    (coco_folder / "val2017" / "more" / "dangling.png").symlink_to("nowhere")
    second = prepare(coco_folder, config, cache).folder
    (coco_folder / "train2017" / "001.png").touch()
    assert len({first, second, prepare(coco_folder, config, cache).folder}) == 3


def test_keypoints_that_leave_their_crop_are_counted(coco_folder, tmp_path):
    """Person 1's box is a tenth of the extent of its keypoints: the two outermost can't both be inside."""
    edit(coco_folder, lambda d: d["annotations"][0].update(bbox=[4, 4, 5, 5]), "train")
    data = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    splits = [data.split(name) for name in ("train", "test")]
    labelled = {p.id: p.labelled for p in coco.load(coco_folder, "train").persons}
    kept = {int(i): int(n) for split in splits for i, n in zip(split.person_ids, split.labelled, strict=True)}
    lost = {i: labelled[i] - kept[i] for i in labelled if labelled[i] != kept[i]}
    assert set(lost) == {1}
    left = data.manifest["left_crop"]
    assert left["train"] + left["test"] == lost[1] and left["val"] == 0


def test_damage_costs_its_persons_only(coco_folder, tmp_path):
    whole = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    train = whole.split("train")
    broken, short = int(train.image_ids[5]), int(train.person_ids[0])
    edit(coco_folder, lambda d: d["annotations"][short - 1]["keypoints"].pop(), "train")
    (coco_folder / "train2017" / f"{broken:03}.png").write_bytes(b"no image")
    (coco_folder / "val2017" / "002.png").unlink()
    coco.check(coco_folder)
    data = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    rest = data.split("train")
    keep = (train.image_ids != broken) & (train.person_ids != short)
    assert 0 < keep.sum() < len(train)
    assert np.array_equal(rest.crops, train.crops[keep]) and np.array_equal(rest.keypoints, train.keypoints[keep])
    assert np.array_equal(rest.person_ids, train.person_ids[keep])
    assert data.mean_rgb == pytest.approx(rest.crops.reshape(-1, 3).mean(0) / 255, abs=1e-6)
    assert data.manifest["dropped"] == {
        "train2017": {"keypoint length": 1, "undecodable image": 2}, "val2017": {"missing image": 2}
    }  # fmt: skip
    assert "dropped 5 persons (2 undecodable image; 2 missing image; 1 keypoint length)" in data.summary
    lost = train.person_ids[train.image_ids == broken].tolist()
    assert data.manifest["dropped_ids"]["train2017"] == {"keypoint length": [short], "undecodable image": lost}
    assert data.manifest["persons"]["val"] == len(data.split("val")) == 10
    assert data.manifest["persons"]["test"] == len(data.split("test"))
    for file in (coco_folder / "val2017").iterdir():
        file.write_bytes(b"")
    with pytest.raises(InputError, match="The val split has no person left"):
        prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")


def test_any_number_of_threads_makes_the_same(coco_folder, tmp_path, monkeypatch):
    made = []
    for workers in (1, 5):
        monkeypatch.setattr("hgnb.data.images.cores", lambda n=workers: n)
        made.append(prepare(coco_folder, DataConfig(side=32), tmp_path / f"cache{workers}"))
    assert made[0].checksum == made[1].checksum
    for file in made[0].folder.iterdir():
        assert file.read_bytes() == (made[1].folder / file.name).read_bytes(), file.name


def test_limits_and_threshold(coco_folder):
    train, val = coco.load(coco_folder, "train"), coco.load(coco_folder, "val")
    some = divide(train, val, DataConfig(train_persons=9, val_persons=3))
    assert [p.id for p in some["val"]] == [1, 2, 3]
    assert len(some["train"]) + len(some["test"]) == 9
    strict = divide(train, val, DataConfig(min_labelled=5))
    assert all(p.labelled == 5 for persons in strict.values() for p in persons)


def test_epochs_repeat_by_seed_and_cover_everyone(coco_folder, tmp_path):
    train = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache").split("train")

    def order(seed, epoch):
        batches = loader(train, 5, seed)
        batches.sampler.set_epoch(epoch)
        return torch.cat([b.index for b in batches]).tolist()

    assert order(1, 0) == order(1, 0) != order(1, 1)
    assert sorted(order(1, 3)) == list(range(16)) == order(None, 3)
    first = next(iter(loader(train, 5)))
    assert first.crops.shape == (5, 32, 32, 3) and first.crops.dtype == torch.uint8
    image = first.images(torch.tensor([0.5, 0.5, 0.5]))
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(image[2, :, 7, 9], torch.from_numpy(train.crops[2, 7, 9].copy()) / 255 - 0.5)


def test_another_layout_is_read(real):
    split = coco.load(real("lspet"), "train")
    assert len(split.persons) == 4500 and len(split.schema) == 14
    assert sum(p.labelled == 14 for p in split.persons) == 2958


def test_persons_are_those_that_pycocotools_reads(real, capfd):
    from pycocotools.coco import COCO

    split = coco.load(real("coco-mini"), "train")
    index = COCO(str(layouts.source(real("coco-mini"), "train").file))
    wanted = [a for a in index.loadAnns(index.getAnnIds(catIds=[1], iscrowd=False)) if a["num_keypoints"]]
    assert [p.id for p in split.persons] == sorted(a["id"] for a in wanted)
    for found in split.persons:
        assert found.keypoints.ravel().tolist() == index.anns[found.id]["keypoints"]
        assert found.box.tolist() == index.anns[found.id]["bbox"]

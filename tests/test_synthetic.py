"""The embedded dataset: COCO layout, reproducible bytes, and geometry that agrees with the picture."""

import filecmp
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from scipy.ndimage import binary_dilation
from typer.testing import CliRunner

from hgnb.cli import app
from hgnb.data.drawn import synthetic
from hgnb.data.drawn.annotate import COCO17, LABELLINGS, visible_joints
from hgnb.data.drawn.body import MOTION, PELVIS, POSTURES, draw_pose, skeleton
from hgnb.data.drawn.canvas import Canvas
from hgnb.data.drawn.figure import dress
from hgnb.data.drawn.scene import Stage, draw_actors, obstacle
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.training.profiles import EmbeddedConfig

AT = {name: i for i, name in enumerate(COCO17.names)}
SPLITS = ("train", "val")
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Most people are labelled in full here, so that there is much to check."""
    out, images = tmp_path_factory.mktemp("synthetic") / "drawn", dict(train_images=40, val_images=8)
    return synthetic.write(out, **images, labelling="generous", processes=1)


@pytest.fixture(scope="module")
def tables(folder) -> dict[str, COCO]:
    return {s: COCO(folder / "annotations" / f"person_keypoints_{s}2017.json") for s in SPLITS}


@pytest.fixture(scope="module")
def people(tables) -> list[dict]:
    return [person for table in tables.values() for person in table.anns.values() if not person["iscrowd"]]


def joints(person: dict) -> np.ndarray:
    return np.array(person["keypoints"], float).reshape(-1, 3)


def test_it_has_the_layout_of_coco(folder, tables):
    assert not folder.with_name(folder.name + ".partial").exists()
    for split, count in zip(SPLITS, (40, 8), strict=True):
        table = tables[split]
        assert len(table.imgs) == count
        assert table.cats[1]["keypoints"] == list(COCO17.names)
        for image in table.imgs.values():
            with Image.open(folder / f"{split}2017" / image["file_name"]) as picture:
                assert picture.size == (image["width"], image["height"]) == (320, 240)
    assert not set(tables["train"].imgs) & set(tables["val"].imgs)
    assert not set(tables["train"].anns) & set(tables["val"].anns)


@pytest.mark.parametrize("start", ("fork", "spawn"))
def test_the_bytes_depend_on_the_seed_alone(tmp_path, monkeypatch, start):
    monkeypatch.setattr(synthetic, "START", start)
    small = dict(train_images=9, val_images=2, width=96, height=72)
    one, two, other = (
        synthetic.write(tmp_path / name, seed=seed, processes=processes, **small)
        for name, seed, processes in (("one", 3, 1), ("two", 3, 2), ("other", 4, 1))
    )
    files = sorted(str(path.relative_to(one)) for path in one.rglob("*.j*"))
    assert len(files) == 13
    assert filecmp.cmpfiles(one, two, files, shallow=False)[0] == files
    assert filecmp.cmpfiles(one, other, files, shallow=False)[0] == []


def test_mpii_joints_on_the_same_pictures(folder, tmp_path):
    out = synthetic.write(
        tmp_path / "mpii", train_images=8, val_images=1, schema="mpii16", labelling="generous", processes=1
    )
    assert filecmp.cmp(out / "train2017" / f"{3:012d}.jpg", folder / "train2017" / f"{3:012d}.jpg", shallow=False)
    table = COCO(out / "annotations" / "person_keypoints_train2017.json")
    schema = KeypointSchema.from_category(table.cats[1])
    assert schema.names[6:10] == ("pelvis", "thorax", "upper_neck", "head_top")
    sided = [f"{side}_{joint}" for side in ("left", "right") for joint in LIMBS]
    assert sorted({*schema.names} - {*schema.names[6:10]}) == sorted(sided)
    assert len(schema) == 16 and len(schema.skeleton) == 15 and len(schema.pairs) == 6
    assert sorted({joint for bone in schema.skeleton for joint in bone}) == list(range(16))  # a tree
    whole = [p for p in table.anns.values() if p["num_keypoints"] == 16 and p["posture"] in ("standing", "walking")]
    assert whole
    for person in whole:  # from the ankles up to the crown
        heights = joints(person)[[0, 1, 2, 7, 8, 9], 1]
        assert np.all(np.diff(heights) < 0)
    seen = [joints(person)[9, 2] == 2 for person in whole]
    assert np.mean(seen) > 0.7


@pytest.mark.parametrize(
    ("option", "given", "named"),
    [("--schema", "lspet", "one of: coco17, mpii16"), ("--labelling", "coc", "did you mean 'coco'")],
)
def test_an_unknown_choice_names_the_valid_ones(tmp_path, option, given, named):
    result = CliRunner().invoke(app, ["data", "synthetic", "--out", str(tmp_path / "x"), option, given])
    assert isinstance(result.exception, InputError) and named in str(result.exception)


def test_labels_count_up_and_lie_inside_the_image(people):
    for person in people:
        x, y, v = joints(person).T
        assert person["num_keypoints"] == (v > 0).sum()
        assert np.all((x >= 0) & (x <= 319) & (y >= 0) & (y <= 239))
        assert np.all((x[v == 0] == 0) & (y[v == 0] == 0))


def test_the_box_and_the_area_are_those_of_the_mask(tables):
    for table in tables.values():
        for person in table.anns.values():
            mask = table.annToMask(person)
            rows, cols = np.nonzero(mask)
            x, y, w, h = person["bbox"]
            assert (cols.min(), rows.min(), np.ptp(cols) + 1, np.ptp(rows) + 1) == (x, y, w, h)
            assert person["area"] == mask.sum()
            again = coco_mask.encode(np.asfortranarray(mask))  # from the pixels, not from the runs
            assert again["counts"].decode("ascii") == person["segmentation"]["counts"]


def inside_any(parts: list, points: np.ndarray) -> np.ndarray:
    """Which points (N, 3), body metres, lie in a solid: by its definition, not by the rays that draw it."""
    found = np.zeros(len(points), bool)
    for part in parts:
        x, y, z = np.linalg.solve(part.axes, (points - part.centre).T)
        found |= {
            "ellipsoid": lambda x, y, z, _: x * x + y * y + z * z <= 1,
            "tube": lambda x, y, z, t: (x * x + z * z <= (1 + (t - 1) * y) ** 2) & (y >= 0) & (y <= 1),
            "box": lambda x, y, z, _: np.maximum(np.maximum(abs(x), abs(y)), abs(z)) <= 1,
        }[part.kind](x, y, z, part.taper)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_joint_is_hidden_only_where_something_covers_it(seed):
    """Marching from each joint to the camera meets a solid just where the depth buffer says so."""
    rng = np.random.default_rng([8, seed])
    stage = Stage(320, 240, 70.0, 1.3, 312.0)
    actors = draw_actors(rng, stage)
    scene = [(dress(actor.body, actor.look), actor.view, actor.number) for actor in actors]
    scene.append((*obstacle(rng, stage, actors[0]), -1))
    canvas = Canvas(320, 240, np.array([0.3, 0.7, 0.8]))
    for drawing in scene:
        canvas.draw(*drawing)
    steps, values = np.arange(0.0, 6.0, 0.004), []
    for actor in actors:
        judged, xyz = visible_joints(canvas, actor)[:, 2], actor.view.project(COCO17.locate(actor.body))
        for v, at, flesh in zip(judged, xyz, COCO17.flesh, strict=True):
            answers = set()
            for shift in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):  # near an outline a pixel may say either
                ray = at + np.column_stack([np.broadcast_to(shift, (len(steps), 2)), steps])
                hit = False
                for parts, view, owner in scene:
                    body = (ray - (view.x, view.y, -view.distance)) / (view.scale, -view.scale, 1.0) @ view.rotation
                    hit |= inside_any(parts, body[steps > (flesh if owner == actor.number else 0.0)]).any()
                answers.add(2 - int(hit))
            if v and len(answers) == 1:
                assert answers == {v}
                values.append(v)
    assert len(values) > 10 and len({*values}) == 2


def test_visible_joints_lie_on_their_own_person(tables, people):
    seen = 0
    for table in tables.values():
        for person in table.anns.values():
            x, y, v = joints(person).T
            mask = binary_dilation(table.annToMask(person), np.ones((5, 5)))
            at = np.round(y[v == 2]).astype(int), np.round(x[v == 2]).astype(int)
            assert mask[at].all()
            seen += mask[at].sum()
    assert seen > 300


def test_it_has_the_variety_and_the_gaps_of_coco(tables, people):
    assert len({person["posture"] for person in people}) >= 6
    assert all(person["motion"] == MOTION[person["posture"]] for person in people)
    v = np.concatenate([joints(person)[:, 2] for person in people])
    assert all((v == value).mean() > 0.03 for value in (0, 1, 2))
    counts = np.array([person["num_keypoints"] for person in people])
    assert (counts == 0).any() and ((counts > 0) & (counts < 17)).any()
    assert (counts == 17).sum() / (counts > 0).sum() >= 0.35
    assert 1.3 < len(people) / 48 < 2.6


def test_a_crowd_is_one_region_without_keypoints():
    """Six pictures of a hundred have one; three standard deviations are 0.05 here."""
    images = [synthetic.draw_image(np.random.default_rng([1, i]), 64, 48)[1] for i in range(200)]
    crowds = [person for people in images for person in people if person["iscrowd"]]
    assert abs(len(crowds) / 200 - 0.06) < 0.05
    for crowd in crowds:
        assert crowd["num_keypoints"] == 0 and not any(crowd["keypoints"])
        assert crowd["area"] > 0


def labels(labelling: str) -> np.ndarray:
    """Visibilities (N, 17) of people drawn small."""
    draw = partial(synthetic.draw_image, width=80, height=60, labelled=LABELLINGS[labelling])
    drawn = [draw(np.random.default_rng([2, i]))[1] for i in range(400)]
    return np.array([p["keypoints"][2::3] for people in drawn for p in people if not p["iscrowd"]])


def test_labelled_as_coco_is(real):
    """As many keypoints a person, and the same ones, as in photographs; the generous way is far from it.

    The embedded data's histogram may be no further from the sample's than its two halves are from one another.
    """
    files = [real("coco-mini") / "annotations" / f"person_keypoints_{split}2017.json" for split in SPLITS]
    halves = [
        np.array([a["keypoints"][2::3] for a in json.loads(file.read_text())["annotations"] if not a["iscrowd"]])
        for file in files
    ]
    coco = np.concatenate(halves)

    def histogram(v: np.ndarray) -> np.ndarray:
        counts = np.bincount((v > 0).sum(1), minlength=18)[1:]
        return counts / counts.sum()

    def shares(v: np.ndarray) -> np.ndarray:
        return (v[(v > 0).any(1)] > 0).mean(0)

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return np.abs(histogram(a) - histogram(b)).sum() / 2  # total variation

    sparse, full = labels(EmbeddedConfig().labelling), labels("generous")
    assert distance(sparse, coco) < distance(*halves)
    assert distance(full, coco) > 0.4
    assert np.abs(shares(sparse) - shares(coco)).max() < 0.15
    assert np.abs(shares(full) - shares(coco)).max() > 0.3


@pytest.mark.parametrize("labelling", LABELLINGS)
def test_the_labelling_changes_neither_pictures_nor_places(labelling):
    """Only what is left out differs, and nothing is made up."""
    image, people = synthetic.draw_image(np.random.default_rng(7), 160, 120, labelled=lambda r, k, v, t: v > 0)
    other, fewer = synthetic.draw_image(np.random.default_rng(7), 160, 120, labelled=LABELLINGS[labelling])
    assert image.tobytes() == other.tobytes() and len(people) == len(fewer) > 0
    for whole, part in zip(people, fewer, strict=True):
        assert whole["segmentation"] == part["segmentation"]
        kept = joints(part)[:, 2] > 0
        assert np.array_equal(joints(part)[kept], joints(whole)[kept])


def test_pictures_hold_one_to_six_people():
    """Two in the mean."""
    stage = Stage(640, 480, 150.0, 1.3, 620.0)
    counts = np.array([len(draw_actors(np.random.default_rng(seed), stage)) for seed in range(400)])
    assert counts.min() == 1 and counts.max() == 6
    assert 1.8 < counts.mean() < 2.4


def test_left_is_the_persons_own_left(people):
    """Who faces the camera has the left shoulder on the image's right; from behind, on its left."""
    left, right = AT["left_shoulder"], AT["right_shoulder"]
    for towards, turned in ((True, lambda yaw: abs(yaw) < 50), (False, lambda yaw: abs(yaw) > 140)):
        upright = [p for p in people if p["posture"] in ("standing", "walking", "sitting") and turned(p["facing"])]
        spans = [joints(p)[left] - joints(p)[right] for p in upright if joints(p)[[left, right], 2].all()]
        assert len(spans) >= 3
        assert np.mean([(span[0] > 0) == towards for span in spans]) > 0.9


# How far joints turn, degrees; a knee at 0 is straight. Means of shoulders and elbows, rounded to a degree, are those
# of Boone & Azen, "Normal range of motion of joints in male subjects" (1979), as tables in textbooks of goniometry give
# them. Hips, knees and the added twice a standard deviation are of that paper's order, not copied from its table. Trunk
# and neck are of the order of the American Academy of Orthopaedic Surgeons' normal ranges, rounded.
LIMITS = {
    "shoulder_flexion": (-62.3 - 2 * 9.5, 166.7 + 2 * 4.7),
    "shoulder_abduction": (0.0, 184.0 + 2 * 7.0),
    "shoulder_inward": (-103.7 - 2 * 8.5, 68.8 + 2 * 4.6),
    "elbow": (-0.6 - 2 * 3.1, 142.9 + 2 * 5.6),
    "hip_flexion": (-9.8 - 2 * 6.8, 122.3 + 2 * 6.1),  # against the pelvis
    "hip_abduction": (-26.9 - 2 * 4.1, 45.9 + 2 * 9.3),
    "hip_inward": (-47.2 - 2 * 6.3, 47.3 + 2 * 6.0),
    "knee": (0.0, 142.5 + 2 * 5.4),
    "trunk_flexion": (-25.0, 80.0),  # of the thorax against the pelvis
    "trunk_side": (-35.0, 35.0),
    "trunk_twist": (-45.0, 45.0),
    "neck_flexion": (-45.0, 45.0),
    "neck_twist": (-60.0, 60.0),
}


def angles(pose) -> dict[str, tuple[float, ...]]:
    """Every joint's angles under the names of `LIMITS`."""
    named: dict[str, tuple[float, ...]] = {"elbow": pose.elbows, "knee": pose.knees}
    for joint, turns in (("shoulder", pose.shoulders), ("hip", pose.hips)):
        for part, values in zip(("flexion", "abduction", "inward"), zip(*turns, strict=True), strict=True):
            named[f"{joint}_{part}"] = values
    named["hip_flexion"] = tuple(flexion + PELVIS * pose.lean for flexion in named["hip_flexion"])
    trunk = {"flexion": (1 - PELVIS) * pose.lean, "side": (1 - PELVIS) * pose.side, "twist": pose.twist}
    neck = {"flexion": pose.head[0], "twist": pose.head[1]}
    parts = (("trunk", trunk), ("neck", neck))
    return named | {f"{joint}_{part}": (value,) for joint, turns in parts for part, value in turns.items()}


@settings(max_examples=150)
@given(posture=st.sampled_from(sorted(POSTURES)), seed=st.integers(0, 2**32 - 1), stature=st.floats(1.4, 2.1))
def test_no_joint_turns_further_than_people_can(posture, seed, stature):
    pose = draw_pose(posture, np.random.default_rng(seed))
    for name, values in angles(pose).items():
        low, high = LIMITS[name]
        assert all(low <= value <= high for value in values), f"{name} of {posture}: {values}"
    body = skeleton(pose, stature)  # and the drawn bones bend as the pose says
    for side in ("left", "right"):
        thigh, shank = (body.frames[f"{side}_{bone}"] for bone in ("thigh", "shank"))
        upper, fore = (body.frames[f"{side}_{bone}"] for bone in ("upper", "fore"))
        for (near, far), name, sign in (((thigh, shank), "knee", 1), ((upper, fore), "elbow", -1)):
            bent = near.T @ far
            angle = sign * np.degrees(np.arctan2(bent[2, 1], bent[1, 1]))
            assert angle == pytest.approx(getattr(pose, f"{name}s")[side == "right"], abs=1e-6)
        reach = (body.frames["pelvis"].T @ thigh)[:, 1]  # away from the knee, in the pelvis' own axes
        flexion = np.degrees(np.arctan2(-reach[2], reach[1]))
        assert LIMITS["hip_flexion"][0] - 0.5 <= flexion <= LIMITS["hip_flexion"][1] + 0.5


@pytest.mark.parametrize("posture", POSTURES)
def test_a_pose_bends_joints_and_never_stretches_bones(posture):
    """Drillis & Contini's fractions hold in every posture, and the body stands on the floor."""
    for seed in range(10):
        body = skeleton(draw_pose(posture, np.random.default_rng(seed)), 2.0)
        span = lambda a, b, body=body: np.linalg.norm(body.points[a] - body.points[b])  # noqa: E731
        for side in ("left", "right"):
            assert span(f"{side}_hip", f"{side}_knee") == pytest.approx(0.490)
            assert span(f"{side}_knee", f"{side}_ankle") == pytest.approx(0.492)
            assert span(f"{side}_shoulder", f"{side}_elbow") == pytest.approx(0.372)
            assert span(f"{side}_elbow", f"{side}_wrist") == pytest.approx(0.292)
            thigh = body.points[f"{side}_knee"] - body.points[f"{side}_hip"]
            bent = np.degrees(np.arccos(-thigh[1] / np.linalg.norm(thigh)))  # from straight down
            assert {"standing": bent < 20, "sitting": bent > 65}.get(posture, True)
        lowest = min(at[1] for at in body.points.values())
        assert -0.03 < lowest < (0.5 if posture == "jumping" else 0.15)


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not empty"):
        synthetic.write(tmp_path / "mine", train_images=1, val_images=1)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"

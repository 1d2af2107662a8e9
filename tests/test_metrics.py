"""PCK, PCKh and OKS by hand, against plain loops and against pycocotools."""

import math

import numpy as np
import pytest
import torch
from pycocotools.cocoeval import COCOeval, Params

from hgnb.data.drawn.annotate import MPII16
from hgnb.metrics import PckConfig, distances, found, pck, pck_by_keypoint, peaks
from hgnb.metrics.keypoints_found import (
    Share,
    among,
    by_group,
    by_joint,
    by_visibility,
    curve,
    mean_over_persons,
    share,
)
from hgnb.metrics.oks import STATS, _evaluation, _guess, _index, _truth, area, average_precision, oks, sigmas
from hgnb.metrics.pckh import head_lengths, head_segment, joint_groups, within_heads

THESIS = PckConfig()
COCO_NAMES = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"] + [
    f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
]
LSP_NAMES = [f"{s}_{j}" for s in ("right", "left") for j in ("ankle", "knee", "hip", "wrist", "elbow", "shoulder")]
LSP_NAMES += ["neck", "head_top"]


def test_peaks_of_a_five_by_five_map():
    maps = torch.zeros(1, 2, 5, 5)
    maps[0, 0, 1, 3] = 2.0  # row 1, column 3
    maps[0, 1, [0, 4], [4, 0]] = 1.0  # a tie: the first index wins
    points, values = peaks(maps)
    assert points.tolist() == [[[3, 1], [4, 0]]] and values.tolist() == [[2.0, 1.0]]
    wide = torch.zeros(1, 1, 2, 5)
    wide[0, 0, 1, 3] = 1.0
    assert peaks(wide)[0].tolist() == [[[3, 1]]]


def test_the_radius_is_strict():
    # 64 pixels: c = 6.4, r = 0.5, so within 3.2 pixels; 40 pixels: within 2, and exactly 2 is out.
    true = torch.zeros(3, 2)
    predicted = torch.tensor([[3, 1], [2, 2], [3, 2]])
    assert found(predicted, true, size=64, config=THESIS).tolist() == [True, True, False]
    assert found(torch.tensor([[2, 0], [1, 1]]), true[:2], size=40, config=THESIS).tolist() == [False, True]


def test_only_annotated_keypoints_count():
    hits = torch.tensor([[True, False, True], [True, True, True]])
    visibility = torch.tensor([[2, 1, 0], [0, 2, 0]])
    assert pck(hits, visibility) == pytest.approx(2 / 3)
    by_keypoint = pck_by_keypoint(hits, visibility)
    assert by_keypoint[:2].tolist() == [1.0, 0.5] and by_keypoint[2].isnan()


def scene(seed: int, persons=4, joints=6, size=16):
    """Random points of a `size` map and visibility, sometimes none at all."""
    rng = np.random.default_rng(seed)
    points = torch.from_numpy(rng.integers(0, size, (2, persons, joints, 2)))
    visibility = torch.from_numpy(rng.choice(3, (persons, joints), p=rng.dirichlet([0.5] * 3)))
    return *points, visibility


def test_every_share_equals_a_plain_loop():
    """200 random scenes: pooled, by visibility, group, joint and person, and over radii."""
    groups, radii = {"head": [0], "torso": [], "limbs": [2, 3, 5]}, (0.25, 0.5, 1.0, 3.0)
    for seed in range(200):
        guess, true, visibility = scene(seed)
        gaps = distances(guess, true, size=16, config=THESIS)
        hits, labelled = found(guess, true, size=16, config=THESIS), visibility > 0
        got = {
            "visibility": by_visibility(hits, visibility),
            "group": by_group(hits, labelled, groups),
            "joint": by_joint(hits, labelled, [str(k) for k in range(6)]),
            "radii": dict(zip(radii, curve(gaps, labelled, torch.tensor(radii)), strict=True)),
        }
        want = {kind: {name: [0, 0] for name in parts} for kind, parts in got.items()}
        persons = []
        guess, true, visibility = guess.tolist(), true.tolist(), visibility.tolist()
        for b in range(4):
            own = []
            for k in range(6):
                v = visibility[b][k]
                if v == 0:
                    continue
                gap = math.dist(guess[b][k], true[b][k]) / 1.6
                own.append(gap < 0.5)
                names = [("visibility", "all"), ("visibility", f"v = {v}"), ("joint", str(k))]
                names += [("group", g) for g, members in groups.items() if k in members]
                for kind, name in names:
                    want[kind][name][0] += own[-1]
                    want[kind][name][1] += 1
                for r in radii:
                    want["radii"][r][0] += gap < r
                    want["radii"][r][1] += 1
            persons += [np.mean(own)] if own else []
        assert got == {kind: {n: Share(*pair) for n, pair in parts.items()} for kind, parts in want.items()}
        mean, counted = mean_over_persons(hits, labelled)
        assert counted == len(persons) and (mean == pytest.approx(np.mean(persons)) if persons else mean is None)


def test_the_curve_is_strict():
    exact = torch.tensor([[0.5, 0.25]])
    assert curve(exact, torch.ones(1, 2, dtype=bool), torch.tensor([0.25, 0.5, 0.51])) == [
        Share(0, 2),
        Share(1, 2),
        Share(2, 2),
    ]


def test_nothing_annotated_is_no_number():
    """No NaN: a share of nothing counts 0, has no value and prints a dash."""
    hits, nobody = torch.ones(2, 3, dtype=torch.bool), torch.zeros(2, 3)
    none = share(hits, nobody > 0)
    assert (none, none.value, none.text()) == (Share(0, 0), None, "–")
    assert set(by_visibility(hits, nobody).values()) == {none}
    assert curve(torch.zeros(2, 3), nobody > 0, torch.tensor([0.5])) == [none]
    assert mean_over_persons(hits, nobody > 0) == (None, 0)
    assert among(torch.tensor([[0, 1, 2]]), (2,)).tolist() == [[False, False, True]]


# PCKh


def test_pckh_by_hand():
    """A head of 10 pixels: 5 away counts, 5.1 doesn't; without a labelled end the person doesn't count."""
    names = ["left_knee", "neck", "head_top"]
    assert head_segment(names) == (1, 2) and head_segment(COCO_NAMES) is None
    assert head_segment(["head_top", "upper_neck", "neck"]) == (1, 0)  # MPII's name goes before
    assert head_segment(["neck", "nose"]) is None and head_segment(["nose", "head_top"]) is None
    true = torch.tensor([[[0.0, 0.0], [50, 60], [50, 50]]]).repeat(3, 1, 1)
    guess = true.clone()
    guess[:, 0, 0] = torch.tensor([5.0, 5.1, 0.0])
    visibility = torch.tensor([[2, 2, 2], [2, 1, 2], [2, 0, 2]])
    lengths = head_lengths(true, visibility, (1, 2))
    assert lengths.tolist() == [10, 10, 0]
    assert within_heads(guess, true, lengths).tolist() == [[True] * 3, [False, True, True], [False] * 3]


def test_groups_of_joints_are_mpiis():
    groups = joint_groups(LSP_NAMES)
    assert groups["head"] == [13, 12] and groups["knee"] == [7, 1] and groups["ankle"] == [6, 0]
    counted = [k for joints in joint_groups(MPII16.names).values() for k in joints]
    assert len(counted) == len(set(counted)) == 14, "pelvis and thorax are in no group"
    assert joint_groups(["nose", "tail"]) == {**{name: [] for name in groups}, "head": [0]}


def test_pckh_equals_a_plain_loop():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        guess, true = rng.normal(0, 1, (2, 3, 14, 2)) * rng.choice([1, 10])
        visibility = rng.integers(0, 3, (3, 14))
        tensors = [torch.from_numpy(a) for a in (guess, true, visibility)]
        segment = head_segment(LSP_NAMES)
        got = within_heads(*tensors[:2], head_lengths(*tensors[1:], segment))
        guess, true, visibility = guess.tolist(), true.tolist(), visibility.tolist()
        for b, person in enumerate(got.tolist()):
            ends, head = visibility[b][12] and visibility[b][13], math.dist(true[b][12], true[b][13])
            assert person == [bool(ends) and math.dist(guess[b][k], true[b][k]) <= 0.5 * head for k in range(14)]


# OKS


def test_sigmas_are_pycocotools_own():
    known = sigmas(COCO_NAMES)
    assert known.values == pytest.approx(Params("keypoints").kpt_oks_sigmas) and known.joints == tuple(range(17))
    assert known.text() == ""


def test_other_joints_borrow_or_go_without():
    known = sigmas(LSP_NAMES)
    assert known.borrowed == ("neck", "head_top") and not known.missing and len(known.values) == 14
    assert known.text().startswith("COCO measured no sigma for neck, head_top")
    odd = sigmas(["left_knee", "tail", "nose"])
    assert (odd.joints, odd.values, odd.missing) == ((0, 2), (0.087, 0.026), ("tail",))
    assert odd.text() == "There is none for tail: OKS leaves them out."
    assert sigmas(["left_second_knee"]).missing == ("left_second_knee",), "only a side is taken off"


def test_oks_of_a_person_without_an_area():
    """As COCOeval: nothing is divided by 0, and only the very place counts as near."""
    true, flags = torch.zeros(2, 1, 2), torch.full((2, 1), 2)
    guess = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]]])
    assert oks(guess, true, flags, torch.zeros(2), torch.tensor([0.1])).tolist() == [1, 0]


def test_the_area_is_the_outlines_or_else_the_boxs():
    assert area({"area": 7.5, "bbox": [1, 2, 3, 4]}) == 7.5
    assert area({"bbox": [1, 2, 3, 4]}) == area({"area": 0, "bbox": [1, 2, 3, 4]}) == 12


@pytest.mark.parametrize(("flag", "recall"), [(0, 1.0), (1, 0.5), (2, 0.5)])
def test_a_person_counts_who_has_a_labelled_joint(flag, recall):
    """Of two persons one is found and one missed: hidden joints count as visible ones do, unlabelled ones don't."""
    listed, _ = records(np.random.default_rng(3), 2, 17, images=2)
    true = np.array([r["keypoints"] for r in listed]).reshape(2, 17, 3)
    true[1, :, 2] = flag
    listed[1]["keypoints"] = true[1].flatten().tolist()
    points = np.stack([true[0, :, :2], true[1, :, :2] + 1e4])
    assert average_precision(listed, points, np.array([0.9, 0.8]), sigmas(COCO_NAMES)).values["AR"] == recall


def records(rng, persons: int, joints: int, images: int = 1):
    """Annotations with at least one labelled joint each, and predictions near them."""
    listed, points = [], []
    for n in range(persons):
        true = rng.uniform(0, 200, (joints, 2))
        flags = rng.integers(0, 3, joints)
        flags[rng.integers(joints)] = 2
        box = [*true.min(0), *np.ptp(true, axis=0)]
        listed.append({
            "id": n + 1, "image_id": 1 + n % images, "bbox": [float(v) for v in box],
            "area": float(rng.uniform(10, 40000)),
            "keypoints": [float(v) for v in np.column_stack([true * (flags > 0)[:, None], flags]).flatten()],
        })  # fmt: skip
        points.append(true + rng.normal(0, rng.choice([1, 10, 50]), true.shape))
    return listed, np.array(points)


@pytest.mark.parametrize("names", [COCO_NAMES, LSP_NAMES, ["left_knee", "tail", "nose"]], ids=["17", "14", "odd"])
def test_oks_equals_pycocotools(names):
    """Every pair of 60 random images, 3 persons each, so 180 persons a schema, against COCOeval.computeOks."""
    known = sigmas(names)
    joints = list(known.joints)
    rng = np.random.default_rng(0)
    for _ in range(60):
        listed, points = records(rng, 3, len(names))
        truth = _index([_truth(r, known) for r in listed])
        guesses = truth.loadRes(
            [_guess(r, p, 1 - i / 10, known) for i, (r, p) in enumerate(zip(listed, points, strict=True))]
        )
        evaluation = _evaluation(truth, guesses, known)
        evaluation._prepare()
        assert isinstance(evaluation, COCOeval)
        theirs = evaluation.computeOks(1, 1)  # (predictions by score, persons)
        true = torch.tensor([r["keypoints"] for r in listed], dtype=torch.float64).reshape(3, -1, 3)[:, joints]
        areas, sigma = (
            torch.tensor([r["area"] for r in listed], dtype=torch.float64),
            torch.tensor(known.values, dtype=torch.float64),
        )
        for i, p in enumerate(points):
            guess = torch.from_numpy(p)[joints].expand(3, -1, -1)
            ours = oks(guess, true[..., :2], true[..., 2], areas, sigma).numpy()
            some = (true[..., 2] > 0).any(1).numpy()  # of a person without labels COCO compares boxes, then ignores it
            np.testing.assert_allclose(ours[some], theirs[i][some], rtol=1e-6, atol=1e-12)
            assert np.isnan(ours[~some]).all()


def test_a_perfect_prediction_has_precision_one_and_a_far_one_none():
    listed, _ = records(np.random.default_rng(1), 6, 17, images=2)
    true = np.array([r["keypoints"] for r in listed]).reshape(6, 17, 3)[..., :2]
    best = average_precision(listed, true, np.linspace(0.1, 0.9, 6), sigmas(COCO_NAMES)).values
    assert set(best) == set(STATS) and all(best[k] == pytest.approx(1) for k in ("AP", "AP50", "AP75", "AR"))
    worst = average_precision(listed, true + 1e4, np.ones(6), sigmas(COCO_NAMES)).values
    assert worst["AP"] == worst["AR"] == 0
    tiny = [{**r, "area": 1.0} for r in listed]
    assert average_precision(tiny, true, np.ones(6), sigmas(COCO_NAMES)).values["APl"] is None, "nobody is large"


def test_recall_equals_a_plain_loop():
    """One person an image, so that matching is trivial: AR is the share of persons above each threshold, averaged."""
    rng = np.random.default_rng(2)
    listed, points = records(rng, 60, 17, images=60)
    true = torch.tensor([r["keypoints"] for r in listed], dtype=torch.float64).reshape(60, 17, 3)
    areas = torch.tensor([r["area"] for r in listed], dtype=torch.float64)
    values = torch.tensor(sigmas(COCO_NAMES).values)
    ours = oks(torch.from_numpy(points), true[..., :2], true[..., 2], areas, values).numpy()
    assert 0.1 < ours.mean() < 0.9
    got = average_precision(listed, points, rng.random(60), sigmas(COCO_NAMES)).values
    levels = np.linspace(0.5, 0.95, 10)
    assert got["AR"] == pytest.approx(np.mean([(ours >= t).mean() for t in levels]))
    assert got["AR50"] == pytest.approx((ours >= 0.5).mean())

"""Posture and motion of drawn people as numbers, and what components tell of them, on planted structure."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, pearsonr
from sklearn.metrics import cohen_kappa_score, roc_auc_score
from test_explain import COCO, persons, planted, scattered

from hgnb import stats
from hgnb.analysis import components, posture
from hgnb.data.drawn.annotate import COCO17
from hgnb.data.drawn.body import Pose, draw_pose, skeleton, turn
from hgnb.data.drawn.scene import View
from hgnb.data.schema import KeypointSchema

ROOT = Path(__file__).resolve().parents[1]
# without a face, and in another order
BARE = KeypointSchema(tuple(n for n in COCO.names[::-1] if n.split("_")[-1] not in ("nose", "eye", "ear")))


def drawn(name, count, rng, yaw=None):
    """Keypoints of drawn people in a posture, and the direction in which each faces, degrees from the viewer."""
    turns = rng.uniform(-180, 180, count) if yaw is None else np.full(count, float(yaw))
    people = []
    for at in turns:
        pose = draw_pose(name, rng) if isinstance(name, str) else name
        view = View(turn("x", 8) @ turn("y", at), 25.0, 32.0, 55.0, 200.0)
        people.append(np.column_stack([view.project(COCO17.locate(skeleton(pose, 1.7)))[:, :2], np.full(17, 2.0)]))
    return np.stack(people), np.radians(turns)


# Sitting and motion


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    names = ("standing", "walking", "running", "sitting", "reaching", "jumping")
    return {name: drawn(name, 60, rng)[0] for name in names}


def area(scores, positive, negative):
    """AUC of scores by posture name."""
    chosen = np.concatenate([scores[n] for n in (*positive, *negative)])
    classes = np.repeat([1, 0], [sum(len(scores[n]) for n in names) for names in (positive, negative)])
    return roc_auc_score(classes, chosen)


def test_a_body_that_can_be_checked_by_hand():
    """Who crouches with raised knees and faces the viewer: a trunk of 8, thighs that rise by 2, shanks of 6; from right
    to left 4 at the shoulders and 2 at the hips."""
    half = {"shoulder": (2, 0), "hip": (1, 8), "knee": (1, 6), "ankle": (1, 12)}
    body = np.zeros((1, len(COCO), 3))
    for joint, (x, y) in half.items():
        body[0, COCO.index(f"left_{joint}", f"right_{joint}")] = [(x, y, 2), (-x, y, 2)]
    assert posture.sitting_score(body, COCO) == pytest.approx(1 + 2 * (6 - 2) / (8 + 6))
    assert posture.facing_score(body, COCO) == pytest.approx(3 / np.hypot(3, 8))


def test_sitting_is_told_from_standing(people):
    scores = {n: posture.sitting_score(k, COCO) for n, k in people.items()}
    assert area(scores, ["sitting"], ["standing", "walking", "reaching"]) > 0.97
    assert (scores["sitting"] > posture.SITTING_ABOVE).mean() > 0.95
    assert (scores["standing"] > posture.SITTING_ABOVE).mean() < 0.02


def test_moving_is_told_from_stationary(people):
    scores = {n: posture.motion_score(k, COCO) for n, k in people.items()}
    assert area(scores, ["walking", "running", "jumping"], ["standing", "sitting", "reaching"]) > 0.85
    assert (scores["running"] > posture.MOVING_ABOVE).mean() > 0.7
    assert (scores["standing"] > posture.MOVING_ABOVE).mean() < 0.1


def test_a_missing_joint_is_no_score(people):
    keypoints = people["standing"][:3].copy()
    keypoints[0, COCO.index("left_ankle", "right_ankle")] = 0
    keypoints[1, COCO.index("left_hip")] = 0
    assert np.isnan(posture.sitting_score(keypoints, COCO)).tolist() == [True, False, False]
    assert np.isnan(posture.motion_score(keypoints, COCO)).tolist() == [True, True, False]
    assert np.isnan(posture.sitting_score(keypoints, KeypointSchema(("nose",) * 17))).all()


def test_classes_are_the_datas_or_the_scores(people):
    keypoints = np.concatenate([people["sitting"], people["standing"]])
    own = posture.postures(persons(keypoints, posture="sitting", motion="stationary"), COCO)
    assert own.known and (own.sitting == 1).all() and (own.moving == 0).all()
    computed = posture.postures(persons(keypoints), COCO)
    assert not computed.known and np.nanmean(computed.sitting[60:]) < 0.1
    assert len(computed.of(np.arange(5)).sitting) == 5


# What components tell


@pytest.mark.parametrize("values", [np.full(9, 2.0), np.full(9, np.nan), np.r_[1.0, 2.0, np.full(7, np.nan)]])
def test_what_does_not_vary_correlates_with_nothing(values):
    scores = np.random.default_rng(0).normal(size=(9, 2))
    assert not any(stats.correlation(s, values, np.arange(9)).known for s in scores.T)
    assert np.isnan(stats.together(scores, values, np.arange(9))).all()


def test_p_values_are_scipys_where_persons_are_independent():
    rng = np.random.default_rng(0)
    y = rng.normal(size=600)
    x, yes, images = rng.normal(size=(600, 30)) + 0.05 * y[:, None], (y > 0).astype(float), np.arange(600)
    theirs = [pearsonr(column, y).pvalue for column in x.T]
    assert np.ptp(theirs) > 0.5 and stats.together(x, y, images) == pytest.approx(np.array(theirs), abs=0.06)
    ranks = x.argsort(0).argsort(0) + 1.0
    theirs = [mannwhitneyu(column[y > 0], column[y <= 0]).pvalue for column in x.T]
    assert stats.together(ranks, yes, images) == pytest.approx(np.array(theirs), abs=0.02)


def test_p_values_are_even_also_when_images_share_a_pose():
    """Five persons of each image are alike: tests by person would call a tenth of nothing into something."""
    rng, images = np.random.default_rng(0), np.repeat(np.arange(40), 5)
    p = []
    for _ in range(40):
        x = np.repeat(rng.normal(size=(40, 25)), 5, 0) + 0.3 * rng.normal(size=(200, 25))
        y = np.repeat(rng.normal(size=40), 5) + 0.3 * rng.normal(size=200)
        p.append(stats.together(x, y, images))
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.02)


# Planted structure


def asked(factors, seed=0):
    """Sitting is the sign of the first factor, motion the second; body size is noise."""
    rng = np.random.default_rng(seed)
    n = len(factors)
    classes = np.where(rng.random(n) < 0.1, np.nan, factors[:, 0] > 0)
    return [
        posture.Question("sitting", classes, is_class=True),
        posture.Question("motion", factors[:, 1]),
        posture.Question("body size", rng.normal(size=n)),
        posture.Question("labelled", np.full(n, 17.0)),
    ]


def test_planted_factors_are_told_by_their_components():
    latents, factors, _ = planted(240)
    told = posture.answers(components.principal(latents), asked(factors), np.arange(240))
    stands = told.corrected(20) < posture.LEVEL
    assert stands[0].nonzero()[0].tolist() == [0] and stands[1].nonzero()[0].tolist() == [1]
    assert not stands[2:].any() and np.isnan(told.p[3]).all()
    assert told.strength[0, 0] > 0.95 and told.strength[1, 1] > 0.95


def test_answers_equal_scikit_learns_and_scipys():
    latents, factors, _ = planted(120)
    questions, parts = asked(factors), components.principal(latents)
    told = posture.answers(parts, questions, np.arange(120))
    sitting, known = questions[0].values, np.isfinite(questions[0].values)
    for i, score in enumerate(parts.scores(6).T):
        assert told.told[0, i] == pytest.approx(roc_auc_score(sitting[known], score[known]))
        assert told.told[1, i] == pytest.approx(pearsonr(score, factors[:, 1]).statistic)
    for row, question in enumerate(told.intervals((1, 3, 500))):
        assert len(question) == 2
        assert [i.value for i in question] == pytest.approx(told.told[row, [0, 2]], nan_ok=True)


def test_questions_know_every_schema():
    for schema in (COCO, BARE, KeypointSchema(("nose",))):
        split = persons(scattered(30, len(schema)))
        split.squares[:, 2] = np.arange(30) + 10
        told = posture.questions(split, schema, posture.postures(split, schema), np.arange(30))
        names = {q.name for q in told if np.isfinite(q.values).any() and np.nanstd(q.values) > 0}
        joints = {"motion", "upright", "facing", "heading", "arm raise"} if len(schema) > 1 else set()
        assert names >= joints | {"body size"} and all(len(q.values) == 30 for q in told)


# How long a step is


def test_persons_met_are_those_of_the_walk():
    latents, _, _ = planted(50)
    parts, steps = components.principal(latents), np.linspace(-3, 3, 9)
    own, equal = components.met(parts, steps), components.met(parts, steps, equal=True)
    first = np.sqrt(parts.variance[0])
    for c in range(1, len(parts) + 1):
        assert own[c - 1] == len(set(parts.nearest(parts.walk(c, steps))))
        long = parts.mean + np.outer(steps * first, parts.axes[c - 1])
        assert equal[c - 1] == len(set(parts.nearest(long)))
    assert own[0] == equal[0] and own[10:].max() == 1  # components of noise: too short a step
    none = components.principal(np.ones((4, 3)))
    assert components.met(none, steps).shape == (0,)


# Orientation and arms


FACING, HEADING = (posture.facing_score, np.cos), (posture.heading_score, np.sin)


@pytest.mark.parametrize(("score", "name", "least"), [
    *((FACING, name, 0.95) for name in ("standing", "walking", "running", "sitting", "reaching")),
    (HEADING, "walking", 0.8), (HEADING, "running", 0.8), (HEADING, "sitting", 0.95), (HEADING, "crouching", 0.9),
])  # fmt: skip
def test_scores_follow_the_turn(score, name, least):
    keypoints, at = drawn(name, 200, np.random.default_rng(0))
    assert np.corrcoef(score[0](keypoints, COCO), score[1](at))[0, 1] > least


def test_lying_down_turns_nobody_round():
    keypoints, _ = drawn("standing", 1, np.random.default_rng(0), yaw=0)
    lying = keypoints.copy()
    lying[..., 0], lying[..., 1] = -keypoints[..., 1], keypoints[..., 0]  # a quarter turn in the picture
    for score in (posture.facing_score, posture.arm_score):
        assert score(lying, COCO) == pytest.approx(score(keypoints, COCO), abs=1e-4)
    assert posture.Body(lying, COCO).upright[0] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("flexion", "abduction", "expected"), [(0, 0, -1), (0, 90, 0), (0, 175, 1), (175, 0, 1)])
def test_arms_by_hand(flexion, abduction, expected):
    arm = (float(flexion), float(abduction), 0.0)
    keypoints, _ = drawn(Pose(shoulders=(arm, arm), elbows=(0.0, 0.0)), 1, np.random.default_rng(0), yaw=0)
    assert posture.arm_score(keypoints, COCO)[0] == pytest.approx(expected, abs=0.1)


def test_scores_need_their_joints_alone():
    """One arm is enough, no trunk is none; another schema gives the same."""
    keypoints, _ = drawn("reaching", 3, np.random.default_rng(0))
    keypoints[0, COCO.index("left_wrist")] = 0
    keypoints[1, COCO.index("left_hip", "right_hip")] = 0
    for score in (posture.facing_score, posture.heading_score, posture.arm_score):
        assert np.isfinite(score(keypoints, COCO)).tolist() == [True, False, True]
    every = ("sitting", "motion", "facing", "heading", "arm")
    for score in (getattr(posture, f"{name}_score") for name in every):
        same = score(keypoints[:, COCO.index(*BARE.names)], BARE)
        assert np.allclose(same, score(keypoints, COCO), equal_nan=True) and np.isfinite(same).any()


# By eye


def test_labels_by_eye_agree_as_their_page_says():
    """300 persons, seen twice; what the page says of the agreement is counted here."""
    with (ROOT / "data/labels/coco-val2017.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["person"] for row in rows}) == len(rows) == 300
    told = (ROOT / "data/README.md").read_text(encoding="utf8")
    for what in ("posture", "motion"):
        first, second = ([row[f"{what}_{look}"] for row in rows] for look in (1, 2))
        share, kappa = np.mean(np.equal(first, second)), cohen_kappa_score(first, second)
        assert re.search(rf"{what} of {100 * share:.1f} % \(.*?{kappa:.2f}\)", told)
    seen = posture.by_eye(ROOT / "data/labels")
    agreed = [row for row in rows if row["posture_1"] == row["posture_2"] != ""]
    assert sum(of != "" for of, _ in seen.values()) == len(agreed)

"""Posture and motion as numbers, classes from what drawn people carry, and what components tell of them.

The thesis names postures by looking (6.3, 6.4), five pictures a component. Here scores are computed from a person's
joints in the crop, for every dataset with shoulders, hips, knees and ankles; NaN where the joints that they need are
missing. Every component answers the same questions, with AUC and correlation, corrected for their number. Explained in
03_interpretation.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from hgnb.analysis.components import Components, complete
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.data.splits import EMBEDDED
from hgnb.home import home
from hgnb.stats import Estimate, auc, correlation, holm, together

if TYPE_CHECKING:
    from hgnb.training.experiment import Experiment

UPRIGHT = ("standing", "walking", "reaching", "upright")  # what sitting is told from: people on their feet
# Cuts of the scores where no class is known, from the embedded data: below every seated person there and above
# nearly all upright ones; moving is the cut of least balanced error (tests/test_explain.py holds both).
SITTING_ABOVE, MOVING_ABOVE = 1.4, 0.6
FIRST = tuple(range(1, 21))  # components of the table
LEVEL = 0.05  # of a corrected p-value
POSED = "posed"  # the split of those on whom what is said of postures is judged


@dataclass(frozen=True)
class Body:
    """N persons' joints by name: (N, 2) as (x, y) in pixels of the crop, y downwards, NaN where v = 0."""

    keypoints: np.ndarray  # (N, K, 3)
    schema: KeypointSchema

    def joint(self, name: str) -> np.ndarray:
        """(N, 2)."""
        at = self.schema.index(name)
        if not at:
            return np.full((len(self.keypoints), 2), np.nan)
        joint = self.keypoints[:, at[0]]
        return np.where(joint[:, 2:] > 0, joint[:, :2], np.nan)

    def middle(self, joint: str) -> np.ndarray:
        """(N, 2): between left and right, or the one of them that is labelled."""
        return mean([self.joint(f"left_{joint}"), self.joint(f"right_{joint}")])

    def bones(self, upper: str, lower: str) -> list[np.ndarray]:
        """Left and right (N, 2) vectors from the upper joint to the lower."""
        return [self.joint(f"{side}_{lower}") - self.joint(f"{side}_{upper}") for side in ("left", "right")]

    @property
    def trunk(self) -> np.ndarray:
        """(N, 2): from the middle of the shoulders to the middle of the hips."""
        return self.middle("hip") - self.middle("shoulder")

    @property
    def size(self) -> np.ndarray:
        """(N,): trunk and mean shank together, in pixels; the yardstick of the scores. NaN where a joint lacks."""
        shank = mean([length(b) for b in self.bones("knee", "ankle")])
        size = length(self.trunk) + shank
        return np.where(size > 0, size, np.nan)

    @property
    def upright(self) -> np.ndarray:
        """(N,): the trunk's drop by its length: 1 upright, 0 level, -1 head down."""
        return self.down[:, 1]

    @property
    def down(self) -> np.ndarray:
        """(N, 2): the trunk's direction, of length 1; NaN where it has none."""
        return unit(self.trunk)


def sitting_score(keypoints: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    r"""(N,) high for a seated person: upright trunk, thighs that don't point down, shanks that do.

    u + 2 (s - |t|) / l, with the trunk's uprightness u, the drops s and t of shank and thigh in the picture,
    and l the trunk's length and the shank's. Standing gives about 1 and sitting 1.7, from the front
    (foreshortened thighs) as from the side (level ones).
    """
    body = Body(keypoints, schema)
    thigh, shank = (mean([b[:, 1] for b in body.bones(*pair)]) for pair in (("hip", "knee"), ("knee", "ankle")))
    return body.upright + 2 * (shank - np.abs(thigh)) / body.size


def motion_score(keypoints: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(N,) high for a stride or a leap: limb spread and asymmetry of an upright body.

    (distance of the ankles + their difference in height) / size + difference of the knees' bends / 90°, counted
    as far as the trunk is upright; 0 for one who lies.
    """
    body = Body(keypoints, schema)
    apart = body.joint("left_ankle") - body.joint("right_ankle")
    bends = [bend(a, b) for a, b in zip(body.bones("hip", "knee"), body.bones("knee", "ankle"), strict=True)]
    spread = (length(apart) + np.abs(apart[:, 1])) / body.size
    return np.clip(body.upright, 0, 1) * (spread + np.abs(bends[0] - bends[1]) / 90)


def facing_score(keypoints: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    r"""(N,) in -1..1: high for a person who faces the viewer, low for one who shows the back, near 0 in profile.

    b / sqrt(b² + l²), with the trunk's length l and the breadth b from the right shoulder to the left and from the
    right hip to the left, in the mean and across the trunk, so that lying down changes nothing.
    """
    body = Body(keypoints, schema)
    across = [body.joint(f"left_{joint}") - body.joint(f"right_{joint}") for joint in ("shoulder", "hip")]
    breadth = mean([cross(a, body.down) for a in across])
    return breadth / np.hypot(breadth, length(body.trunk))


def heading_score(keypoints: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(N,) high for a person who looks to the picture's right, low for the left.

    How far the knees lie ahead of the lines from hip to ankle and the elbows behind those from shoulder to wrist, in
    the mean and by size: knees bend forwards and elbows backwards. Straight limbs say little.
    """
    body, ahead = Body(keypoints, schema), []
    for side in ("left", "right"):
        hip, knee, ankle, shoulder, elbow, wrist = (
            body.joint(f"{side}_{joint}")[:, 0] for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        )
        ahead += [knee - (hip + ankle) / 2, (shoulder + wrist) / 2 - elbow]
    return mean(ahead) / body.size


def arm_score(keypoints: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(N,) from -1 to 1: arms along the trunk, level, straight up; in the mean of both, from shoulder to wrist."""
    body = Body(keypoints, schema)
    return mean([-(unit(arm) * body.down).sum(1) for arm in body.bones("shoulder", "wrist")])


def length(vectors: np.ndarray) -> np.ndarray:
    """(N, 2) -> (N,)."""
    return np.linalg.norm(vectors, axis=1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """(N, 2) -> (N, 2) of length 1; NaN for one of length 0."""
    long = length(vectors)[:, None]
    return np.divide(vectors, long, out=np.full(vectors.shape, np.nan), where=long > 0)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,): a's part to the left of b as one looks along b in the picture, times b's length."""
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def bend(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) degrees between two bones: 0 where they're in line."""
    return np.degrees(np.arctan2(np.abs(cross(first, second)), (first * second).sum(1)))


def mean(arrays: list[np.ndarray]) -> np.ndarray:
    """The mean of equal arrays where they aren't NaN; NaN where all are."""
    stacked = np.stack(arrays)
    there = np.isfinite(stacked)
    total, count = np.where(there, stacked, 0).sum(0), there.sum(0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


@dataclass(frozen=True)
class Postures:
    """Scores and classes of N persons; a class is 1, 0, or NaN where it isn't known."""

    motion_score: np.ndarray
    sitting: np.ndarray  # 1 sitting, 0 on their feet (standing, walking, reaching); NaN: neither, or unknown
    moving: np.ndarray  # 1 moving, 0 stationary
    names: np.ndarray  # (N,) str: the posture that the data state, else ""
    known: bool  # the classes are the data's own; else they are cuts of the scores

    def of(self, positions: np.ndarray | slice) -> "Postures":
        """The persons at `positions`."""
        arrays = {k: v[positions] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        return Postures(**arrays, known=self.known)


def postures(split: PreparedSplit, schema: KeypointSchema) -> Postures:
    """Posture and motion of a split: classes that its annotations state or eyes saw, else cuts of scores."""
    split = named(split)
    sitting, motion = (score(split.keypoints, schema) for score in (sitting_score, motion_score))
    if (split.posture != "").any():
        upright = np.where(np.isin(split.posture, UPRIGHT), 0.0, np.nan)
        seated = np.where(split.posture == "sitting", 1.0, upright)
        moving = np.where(split.motion == "moving", 1.0, np.where(split.motion == "stationary", 0.0, np.nan))
        return Postures(motion, seated, moving, split.posture, known=True)
    upright = Body(split.keypoints, schema).upright > 0.7  # leaning less than 45°; false for NaN
    seated = np.where(upright & np.isfinite(sitting), (sitting > SITTING_ABOVE).astype(float), np.nan)
    moving = np.where(np.isfinite(motion), (motion > MOVING_ABOVE).astype(float), np.nan)
    return Postures(motion, seated, moving, np.full(len(split.keypoints), ""), known=False)


def posed(experiment: "Experiment") -> PreparedSplit:
    """The persons on whom what is said of postures is judged, called 'posed'.

    Of the drawn people: every keypoint labelled, drawn for this alone, so that no training has seen them; their ids are
    negative, since others' photographs bear the same numbers. Of a folder: training persons whose annotations state a
    posture or who were labelled by eye (data/README.md); where there are none, the most completely labelled.
    """
    p = experiment.profile
    if experiment.data != EMBEDDED:
        train = named(experiment.prepared().split("train"))
        known = np.flatnonzero(train.posture != "")
        return replace(train.take(known if len(known) else complete(train).positions), name=POSED)
    embedded = replace(
        p.embedded, labelling="generous", train_images=p.analysis.posed, val_images=2, seed=p.embedded.seed + 1
    )
    everybody = replace(p.data, train_persons=0, val_persons=0)
    drawn = replace(experiment, profile=replace(p, embedded=embedded, data=everybody)).prepared().split("train")
    full = drawn.take(drawn.fully_labelled)
    return replace(full, name=POSED, person_ids=-full.person_ids, image_ids=-full.image_ids)


def named(split: PreparedSplit) -> PreparedSplit:
    """The split with what two looks at the photographs agree on, where its annotations state no posture."""
    if (split.posture != "").any():
        return split
    labels = by_eye(home() / "data" / "labels")
    posture, motion = np.array([labels.get(int(i), ("", "")) for i in split.person_ids], str).reshape(-1, 2).T
    return replace(split, posture=posture, motion=motion)


@cache
def by_eye(folder: Path) -> dict[int, tuple[str, str]]:
    """Posture and motion by annotation id, each empty where the two looks differ, of the tables in `folder`."""
    held = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf8", newline="") as file:
            for row in csv.DictReader(file):
                held[int(row["person"])] = (_agreed(row, "posture"), _agreed(row, "motion"))
    return held


def _agreed(row: dict[str, str], what: str) -> str:
    first, second = row[f"{what}_1"], row[f"{what}_2"]
    return first if first == second else ""


# What components tell


@dataclass(frozen=True)
class Question:
    """Something that is known of N persons and that a component may tell."""

    name: str
    values: np.ndarray  # (N,), NaN where unknown; for a class 1 and 0
    is_class: bool = False

    @property
    def measure(self) -> str:
        """AUC against a class, Pearson's r with a number."""
        return "AUC" if self.is_class else "r"


def questions(
    split: PreparedSplit, schema: KeypointSchema, states: Postures, positions: np.ndarray | slice = slice(None)
) -> list[Question]:
    """What every component is asked of the persons at `positions`, or of all; `states` are the whole split's.

    Positions spare a copy of the crops, which nobody is asked about.
    """
    keypoints, states = split.keypoints[positions], states.of(positions)
    return [
        Question("sitting", states.sitting, is_class=True),
        Question("motion", states.motion_score),
        Question("body size", np.log(np.maximum(split.squares[positions, 2], 1))),
        Question("upright", Body(keypoints, schema).upright),
        Question("facing", facing_score(keypoints, schema)),
        Question("heading", heading_score(keypoints, schema)),
        Question("arm raise", arm_score(keypoints, schema)),
        Question("labelled", split.labelled[positions].astype(float)),
        Question("hidden", (split.visibility[positions] == 1).sum(1).astype(float)),
    ]


@dataclass(frozen=True)
class Answers:
    """What n components tell about Q questions. The sign of a component is arbitrary: 0.1 separates as 0.9 does."""

    scores: np.ndarray  # (N, n)
    ratio: np.ndarray  # (n,) shares of the variance
    questions: tuple[Question, ...]
    images: np.ndarray  # (N,)

    @cached_property
    def told(self) -> np.ndarray:
        """(Q, n): AUC or r; NaN where the question has one answer only."""
        return np.stack([self._told(q) for q in self.questions])

    def _told(self, question: Question) -> np.ndarray:
        known = np.isfinite(question.values)
        scores, values = self.scores[known], question.values[known]
        if len(values) < 3 or np.ptp(values) == 0:
            return np.full(self.scores.shape[1], np.nan)
        if not question.is_class:
            x, y = (a - a.mean(0) for a in (scores, values))
            with np.errstate(divide="ignore", invalid="ignore"):  # a component along which nobody varies is NaN
                return (y @ x) / np.sqrt((x**2).sum(0) * (y**2).sum())
        ranks, yes = rankdata(scores, axis=0), values > 0
        return (ranks[yes].mean(0) - (yes.sum() + 1) / 2) / (~yes).sum()  # Mann & Whitney's U by the pairs

    @property
    def strength(self) -> np.ndarray:
        """(Q, n) in 0..1: the size of r, or of 2 AUC - 1."""
        of_class = np.array([q.is_class for q in self.questions])[:, None]
        return np.abs(np.where(of_class, 2 * self.told - 1, self.told))

    @cached_property
    def p(self) -> np.ndarray:
        """(Q, n) p-values of 'the component tells nothing of it', images as the units; not corrected."""
        ranks = rankdata(self.scores, axis=0)
        rows = (together(ranks if q.is_class else self.scores, q.values, self.images) for q in self.questions)
        return np.stack(list(rows))

    def corrected(self, count: int) -> np.ndarray:
        """(Q, count) p-values of the first components, by Holm's rule over all of these."""
        return holm(self.p[:, :count])

    def intervals(self, components: Sequence[int]) -> list[list[Estimate]]:
        """For each question those of the components, counted from 1, that exist."""
        at = np.array([c - 1 for c in components if c <= self.scores.shape[1]], dtype=int)
        measures = [(auc if q.is_class else correlation, q.values) for q in self.questions]
        return [[of(s, values, self.images) for s in self.scores[:, at].T] for of, values in measures]


def answers(parts: Components, asked: Sequence[Question], images: np.ndarray) -> Answers:
    """Every component of `parts` against every question about the same N persons; images: (N,)."""
    return Answers(parts.scores(), parts.ratio, tuple(asked), images)

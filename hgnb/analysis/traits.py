"""What each component of the latents tells of a person: AUC and correlation, corrected for their number.

Thesis 6.3 names what it sees in five pictures a component; here every component answers the same questions.
Explained in 03_interpretation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from hgnb.analysis import posture
from hgnb.analysis.components import Components
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.stats import Estimate, auc, correlation, holm, together

FIRST = tuple(range(1, 21))  # components of the table
LEVEL = 0.05  # of a corrected p-value


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
    split: PreparedSplit,
    schema: KeypointSchema,
    states: posture.Postures,
    positions: np.ndarray | slice = slice(None),
) -> list[Question]:
    """What every component is asked of the persons at `positions`, or of all; `states` are the whole split's.

    Positions spare a copy of the crops, which nobody is asked about.
    """
    keypoints, states = split.keypoints[positions], states.of(positions)
    return [
        Question("sitting", states.sitting, is_class=True),
        Question("motion", states.motion_score),
        Question("body size", np.log(np.maximum(split.squares[positions, 2], 1))),
        Question("upright", posture.Body(keypoints, schema).upright),
        Question("facing", posture.facing_score(keypoints, schema)),
        Question("heading", posture.heading_score(keypoints, schema)),
        Question("arm raise", posture.arm_score(keypoints, schema)),
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

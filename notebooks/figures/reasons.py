"""Why the autoencoder helped, if it did: the two reasons of thesis 8.3 as predictions that can come out wrong.

Reason 1 (8.3.1): the latents lie in better order. Then fewer persons are misplaced, those who are misplaced in the
original are predicted worse than others, and it is they who gain. Reason 2 (8.3.2): noise is gone. Then the original
gains if the components that the thesis takes for noise are taken out of its latents. Explained in 05_discussion.

All is asked of test persons, whom neither the networks nor the components nor the clusters have seen.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hgnb.analysis.components import Components
from hgnb.analysis.misplaced import Misplaced, compared
from hgnb.analysis.truncation import NOISE_FROM, Truncation
from hgnb.data.prepared import PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.stats import UNKNOWN, Estimate, crossed, pck_difference
from hgnb.stats import pck as pooled_pck

SIGNAL = 0.95  # of the variance; thesis 8.3.2 takes the rest for noise
SURVIVES, FAILS, OPEN = "survives", "does not survive", "is neither borne out nor refuted"


@dataclass(frozen=True)
class Pair:
    """Which keypoints of N persons both networks find, with skip-connections and without; (N, K) bool each."""

    split: PreparedSplit
    original: tuple[np.ndarray, np.ndarray]  # on, off
    modified: tuple[np.ndarray, np.ndarray]

    @property
    def labelled(self) -> np.ndarray:
        """(N, K) bool: the keypoints that count."""
        return self.split.visibility > 0

    def pck(self, which: str, counted: np.ndarray, skips: bool = True) -> Estimate:
        """PCK of the 'original' or the 'modified' network over the `counted` keypoints (N, K)."""
        return pooled_pck(getattr(self, which)[not skips], counted, self.split.image_ids)

    def gain(self, counted: np.ndarray, skips: bool = True) -> Estimate:
        """PCK of the modified network less the original's over the `counted` keypoints; paired by image."""
        hits = self.modified[not skips], self.original[not skips]
        return pck_difference(*hits, counted, self.split.image_ids)

    def drop(self, which: str) -> Estimate:
        """PCK that a network loses without its skip-connections."""
        on, off = getattr(self, which)
        return pck_difference(on, off, self.labelled, self.split.image_ids)

    @property
    def drops_apart(self) -> Estimate:
        """How much more the modified network loses without skip-connections than the original does."""
        hits = (*self.modified, *self.original, np.ones_like(self.labelled))
        columns = np.column_stack([(h & self.labelled).sum(1) for h in hits])
        return crossed(columns, self.split.image_ids, lambda a, b, c, d, n: (a - b - c + d) / n)

    def found(self, which: str) -> np.ndarray:
        """(N,) labelled keypoints that a network finds of each person."""
        return (getattr(self, which)[0] & self.labelled).sum(1)

    def groups(self, schema: KeypointSchema, wrong: Misplaced) -> dict[str, dict[str, np.ndarray]]:
        """(N, K) keypoints of each group under each heading: joints, visibility, labelled count, place."""
        v, joints = self.split.visibility, np.arange(len(schema))
        return {
            "joints": {name: self.labelled & np.isin(joints, at) for name, at in schema.groups.items()},
            "visibility": {"visible": v == 2, "hidden": v == 1},
            "labelled keypoints": {
                title: self.labelled & rows[:, None] for title, rows in thirds(self.split.labelled).items()
            },
            "place in the original": self.places(wrong),
        }

    def places(self, wrong: Misplaced) -> dict[str, np.ndarray]:
        """(N, K) keypoints of the misplaced persons and of the others."""
        sides = {"misplaced": wrong.flags, "well placed": ~wrong.flags}
        return {title: self.labelled & (wrong.judged & rows)[:, None] for title, rows in sides.items()}

    def misplaced_less_others(self, wrong: Misplaced) -> tuple[Estimate, Estimate, Estimate]:
        """PCK of the misplaced less that of others with equally many labelled keypoints, in the original and in the
        modified network, and how much more of it the misplaced gain."""
        before, after = self.found("original"), self.found("modified")

        def gap(found: np.ndarray) -> Estimate:
            return compared(wrong, found, self.split.labelled).difference

        return gap(before), gap(after), gap(after - before)


def thirds(counts: np.ndarray) -> dict[str, np.ndarray]:
    """(N,) bool for each of three groups of about as many persons, by a count: '4 to 9'; equal counts stay together."""
    if not len(counts):
        return {}
    edges = np.unique([counts.min(), *np.quantile(counts, (1 / 3, 2 / 3), method="higher"), counts.max() + 1])
    groups = {}
    for low, high in pairwise(edges):
        rows = (counts >= low) & (counts < high)
        ends = counts[rows].min(), counts[rows].max()
        groups[" to ".join(str(n) for n in dict.fromkeys(ends))] = rows
    return groups


def steps(parts: Components) -> list[int]:
    """Numbers of components that are tried: those behind which the thesis sees noise, and powers of four that lie
    further from them than half of their own; all of them would be an untouched network."""
    named = {k for k in (NOISE_FROM - 1, parts.needed(SIGNAL)) if 0 < k < len(parts)}
    powers = {0, *(4**i for i in range(len(parts).bit_length()))}
    apart = {k for k in powers if k < len(parts) and all(abs(k - n) > k / 2 for n in named)}
    return sorted(named | (apart or {0}))


@dataclass(frozen=True)
class Part:
    """One thing that follows from a reason; an interval above zero speaks for it."""

    words: str
    interval: Estimate

    @property
    def speaks(self) -> int:
        """1 for the reason, -1 against it, 0 for neither, also where nothing could be measured."""
        return int(self.interval.low > 0) - int(self.interval.high < 0)


@dataclass(frozen=True)
class Reason:
    """One of the thesis's reasons, and what follows from it."""

    title: str
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> str:
        """It survives if everything that follows from it is seen, and does not if the opposite of anything is."""
        speaks = [part.speaks for part in self.parts]
        if all(s > 0 for s in speaks):
            return SURVIVES
        return FAILS if any(s < 0 for s in speaks) else OPEN


def order(fewer: Estimate, pair: Pair, wrong: Misplaced) -> Reason:
    """Reason 1. fewer: misplaced rate of the latents less that of the codes; wrong: the test persons' place in the
    clusters of the original's latents, which was fixed before anything was gained."""
    before, _, gained = pair.misplaced_less_others(wrong)
    return Reason(
        "better order in the latent space (8.3.1)",
        (
            Part("the share of the misplaced falls by {} from the latents to the codes", fewer),
            Part(
                "in the original the misplaced are {} worse than others with equally many labelled keypoints",
                before.negated(),
            ),
            Part("the misplaced gain {} more than those others", gained),
        ),
    )


def denoised(latents: Truncation, needed: int) -> Reason:
    """Reason 2. latents: of the original, with components taken out; needed: components for 95 % of the variance."""
    cuts = {NOISE_FROM - 1: "the components from the 50th on", needed: "the last 5 % of the variance"}
    gains = {k: latents.lost(k).negated() if k in latents.hits else UNKNOWN for k in cuts}
    parts = tuple(Part(f"without {words} the original's PCK changes by {{}}", gains[k]) for k, words in cuts.items())
    return Reason("noise removed (8.3.2)", parts)

"""What a dataset calls its keypoints: names, skeleton, sides and groups, read from its own COCO category."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hgnb.data.intake import plain
from hgnb.errors import InputError

NAME = re.compile(r"\w[\w .'()/+-]{0,59}")  # of a keypoint: it gets into tables, captions and pages
HEAD = {"nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top", "head"}
# Newell's list scores ankles, knees, hips, wrists and elbows as limbs: hips are none of the torso (ambiguity 14).
LIMBS = ("elbow", "wrist", "hip", "knee", "ankle")


@dataclass(frozen=True)
class KeypointSchema:
    """K keypoint names in the order of the annotations, and the bones between them as index pairs."""

    names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = ()

    @classmethod
    def from_category(cls, category: dict) -> "KeypointSchema":
        """From an entry of a COCO file's `categories`, whose skeleton counts from 1; InputError where it can't be."""
        names = category["keypoints"]
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
            raise InputError(f"The category {category.get('id')} must list its keypoints by different names.")
        if odd := [n for n in names if not NAME.fullmatch(n)]:
            raise InputError(
                f"The category {category.get('id')} names a keypoint '{plain(odd[0])}': letters, digits and _ must do."
            )
        return cls(tuple(names), tuple((a - 1, b - 1) for a, b in category.get("skeleton") or ()))

    @classmethod
    def of(cls, names: Iterable[str], skeleton: Iterable[Iterable[int]]) -> "KeypointSchema":
        """From lists, as JSON and NumPy give them."""
        return cls(tuple(names), tuple((a, b) for a, b in skeleton))

    def __len__(self) -> int:
        return len(self.names)

    def index(self, *names: str) -> list[int]:
        """Positions of the names that the dataset has, in the order asked for."""
        return [self.names.index(n) for n in names if n in self.names]

    def only(self, positions: Sequence[int]) -> "KeypointSchema":
        """The keypoints at these positions, in this order, and the bones that are between two of them."""
        place = {old: new for new, old in enumerate(positions)}
        bones = tuple((place[a], place[b]) for a, b in self.skeleton if a in place and b in place)
        return KeypointSchema(tuple(self.names[i] for i in positions), bones)

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """'left', 'right' or 'centre' for each keypoint, as the person's own sides."""
        return tuple(s if (s := n.split("_")[0]) in ("left", "right") else "centre" for n in self.names)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) index pairs that a mirror image exchanges."""
        rights = {n.removeprefix("right_"): i for i, n in enumerate(self.names) if n.startswith("right_")}
        lefts = {n.removeprefix("left_"): i for i, n in enumerate(self.names) if n.startswith("left_")}
        return tuple((lefts[n], rights[n]) for n in lefts if n in rights)

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Indices of the head, torso and limb keypoints; every keypoint is in exactly one."""
        kind = ["head" if n in HEAD else "limbs" if any(limb in n for limb in LIMBS) else "torso" for n in self.names]
        return {g: np.flatnonzero([k == g for k in kind]) for g in ("head", "torso", "limbs")}

    @property
    def titles(self) -> list[str]:
        """Names as a figure shows them: 'left knee'."""
        return [n.replace("_", " ") for n in self.names]


def exchanged(schema: KeypointSchema) -> np.ndarray:
    """(K,) positions: where each keypoint's mirror image stands among the names; its own where it has no side."""
    order = np.arange(len(schema))
    for left, right in schema.pairs:
        order[left], order[right] = right, left
    return order


def unmirrored(maps: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """(N, K, size, size) heatmaps of a mirror image -> where its keypoints are in the picture itself."""
    return maps[:, exchanged(schema), :, ::-1]

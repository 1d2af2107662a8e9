"""What COCO's own annotations say: its persons, whom filters keep, what predicting nothing costs on them.

`python benchmarks/annotations.py` counts all persons of train2017 and val2017 once and keeps the counts in
`results/coco-annotations.json`; everything here follows from these. Thesis 4.1, 5.2, 8.2; claims C1 and C22,
ambiguities 1 to 3.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hgnb.errors import InputError
from hgnb.home import home

SPLITS, KEYPOINTS = ("train", "val"), 17
THESIS = {"train": 129_104, "val": 5_064}  # persons kept, table 1; the test persons come from train
TRAINED = 124_040  # of them, without the test persons
CREDIT = "COCO Consortium (Lin et al., ECCV 2014), annotations under CC BY 4.0, https://cocodataset.org"
COMMAND = "python benchmarks/annotations.py"
ALL = "all with a labelled keypoint"
# what of a person a filter may ask: labelled and visible keypoints, share of the photograph that the box covers,
# persons with keypoints in the photograph
Filter = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


FILTERS: dict[str, Filter] = {
    ALL: lambda labelled, visible, area, crowd: labelled > 0,
    **{f"{k} or more labelled": lambda *told, k=k: told[0] >= k for k in range(2, 12)},
    **{f"{k} or more visible": lambda *told, k=k: told[1] >= k for k in range(4, 8)},
    **{f"box of {p} % or more": lambda *told, p=p: told[2] >= p / 100 for p in (1, 2)},
    **{f"{n} or fewer in a photograph": lambda *told, n=n: told[3] <= n for n in (5, 10)},
}  # fmt: skip


@dataclass(frozen=True)
class Annotated:
    """The counts of both splits."""

    splits: Mapping[str, dict]

    def kept(self, split: str, name: str = ALL) -> dict[str, int]:
        """Persons that a filter keeps, the fully labelled among them, and their visible and hidden keypoints."""
        return self.splits[split]["kept"][name]

    def shares(self, counts: str) -> np.ndarray:
        """Of 'by_labelled' (K + 1,) persons, 'by_keypoint' (3, K) persons by visibility, 'by_persons' (n,) photographs:
        shares of both splits together."""
        each = [np.array(self.splits[split][counts]) for split in SPLITS]
        longest = max(one.shape[-1] for one in each)
        both = np.sum([np.pad(one, [(0, 0)] * (one.ndim - 1) + [(0, longest - one.shape[-1])]) for one in each], 0)
        return both / both.sum(0, keepdims=both.ndim > 1)

    @property
    def visible(self) -> dict[str, float]:
        """The share of the labelled keypoints that is visible, by split."""
        kept = {split: self.kept(split) for split in SPLITS}
        return {split: k["visible"] / (k["visible"] + k["hidden"]) for split, k in kept.items()}

    def off(self, name: str) -> float:
        """How far a filter is from the thesis's numbers, relatively, in the split in which it is farther."""
        return max(abs(self.kept(split, name)["persons"] / n - 1) for split, n in THESIS.items())

    @property
    def nearest(self) -> str:
        """The filter that comes nearest to the thesis in both splits."""
        return min((name for name in FILTERS if name != ALL), key=self.off)

    @property
    def counts(self) -> dict[str, int | str]:
        """What C1 holds against the source."""
        persons = {split: self.kept(split)["persons"] for split in SPLITS}
        full = self.kept("train")["full"]
        return {
            "persons": persons["train"],
            "persons with val": sum(persons.values()),
            "photographs": sum(self.splits[split]["photographs"] for split in SPLITS),
            "filter": self.nearest,
            **{f"kept {split}": self.kept(split, self.nearest)["persons"] for split in SPLITS},
            "full": round(full * TRAINED / persons["train"]),  # of the fully labelled as many as of all
            "full of all": full,
        }


def file() -> Path:
    """Where the counts are kept."""
    return home() / "results" / "coco-annotations.json"


@lru_cache(maxsize=1)
def _read(path: Path) -> Annotated:
    try:
        return Annotated(json.loads(path.read_text(encoding="utf8"))["splits"])
    except (ValueError, KeyError) as error:
        raise InputError(f"results/{path.name} is damaged: '{COMMAND}' makes it anew.") from error


def load() -> Annotated | None:
    """The counts that are kept; None where there are none."""
    return _read(file()) if file().is_file() else None

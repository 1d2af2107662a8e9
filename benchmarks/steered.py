"""Whether the rule of chapter 08's directions can be met: two ways that are known to go with a trait, put to it.

python benchmarks/steered.py [seeds, 5 if not given]; the result goes to results/steered.json, which chapter 08 shows.
Beside the thesis's direction for each trait, and as long: `taught`, from the mean latents of the training persons who
show less of the trait than the median to those who show more; `found`, the mean of ways by lot, each weighed by how far
it raises the trait in other training persons who are moved along it.
"""

import json
import sys
import time

import numpy as np

from book import ROOT, machine, plain
from hgnb.analysis import steering
from hgnb.analysis.posture import motion_score, sitting_score
from hgnb.analysis.steering import BRANCHES, LOTS
from hgnb.claims import steered
from hgnb.claims.carried import PROFILE
from hgnb.claims.steered import READINGS, TRAITS
from hgnb.claims.study import Study
from hgnb.data.prepared import PreparedSplit
from hgnb.data.splits import EMBEDDED
from hgnb.definitions import fingerprint
from hgnb.stats import verdicts
from hgnb.training.experiment import TRAINING_ROOTS, Experiment

TRIED, PERSONS = 100, 100  # ways by lot, and training persons on whom they are tried
WAYS = ("thesis", "taught", "found")
FILE = ROOT / "results" / "steered.json"


class Steered:
    """One seed's network, and the persons on whom its directions were found, are tried and are judged."""

    def __init__(self, seed: int):
        self.experiment = Experiment.open(PROFILE, EMBEDDED, seed)
        self.study = Study(self.experiment, {"hourglass": self.experiment.hourglass()})
        self.reader, self.schema = self.study.reader("hourglass"), self.study.prepared.schema
        study, posture = self.study, self.study.posed.keypoints
        self.known = {
            "sitting": (study.latents_posed, sitting_score(posture, self.schema)),
            "motion": (study.latents_posed, motion_score(posture, self.schema)),
            "confident": (study.latents, study.train.labelled[study.sample].astype(float)),
        }
        self.at = steering.steerable(study.test, self.schema, study.analysis.steered, seed)
        tried = steering.steerable(study.train, self.schema, PERSONS, seed)
        self.judged, self.tried = study.test.take(self.at), study.train.take(tried)

    def steer(self, persons: PreparedSplit, trait: str, ways: np.ndarray, branches: str):
        return steering.steer(self.reader, persons, self.schema, self.experiment.profile.pck, trait, ways, branches)

    def ways(self, trait: str, own: np.ndarray) -> np.ndarray:
        """(3, D): WAYS of a trait, each as long as the thesis's `own`."""
        latents, shown = self.known[trait]
        more = shown > np.nanmedian(shown)
        less = np.isfinite(shown) & ~more
        taught = latents[more].mean(0, dtype=float) - latents[less].mean(0, dtype=float)
        lots = [
            steering.by_lot(own, self.study.latents, 1000 * (1 + i) + self.study.seed) for i in range(TRIED // LOTS)
        ]
        tried = np.concatenate(lots)  # other ones than those that the rule sets beside a direction
        rises = [
            np.nanmean(steered.slopes(self.steer(self.tried, trait, tried, whose)[0], np.ones(TRIED)), 1)
            for whose in BRANCHES
        ]
        made = np.stack([own, taught, np.mean(rises, 0) @ tried])
        return made * (np.linalg.norm(own) / np.linalg.norm(made, axis=1, keepdims=True))

    def changes(self) -> dict[tuple[str, str, str, bool], np.ndarray]:
        """(1 + LOTS, N) for each direction, way and reading: the trait's change in every test person."""
        made = {}
        for direction in steered.found_directions(self.study):
            ways = self.ways(direction.trait, direction.way)
            ways = np.concatenate([ways, steering.by_lot(direction.way, self.study.latents, self.study.seed)])
            signs = steering.signs(ways, *self.known[direction.trait])
            signs[WAYS.index("found")] = 1  # forth is where the moved persons' trait rose
            for whose in BRANCHES:
                scores, found = self.steer(self.judged, direction.trait, ways, whose)
                scores = scores.astype(np.float16)  # as records hold them
                for equal in (False, True):
                    each = np.full((len(ways), len(self.study.test)), np.nan)
                    each[:, self.at] = (
                        steered.at_equal_loss(scores, found, signs) if equal else steered.slopes(scores, signs)
                    )
                    for i, way in enumerate(WAYS):
                        rows = [i, *range(len(WAYS), len(ways))]
                        made[direction.name, way, whose, equal] = each[rows]
        return made


def main(seeds: int) -> None:
    started, each = time.time(), []
    for seed in range(seeds):
        one = Steered(seed)
        each.append(one.changes())
        print(f"seed {seed}: {time.time() - started:.0f} s")
    images = one.study.test.image_ids
    rows = []
    for way in WAYS:
        found = {
            name: {
                (whose, equal): steered.compared(np.stack([made[name, way, whose, equal] for made in each]), images)
                for whose, equal in READINGS
            }
            for name in TRAITS
            if all((name, way, *READINGS[0]) in made for made in each)
        }
        tests = [steered.ruled(readings) for readings in found.values()]
        for (name, readings), verdict in zip(found.items(), verdicts(tests, len(TRAITS)), strict=True):
            told = [
                {"whose": whose, "equal": equal} | {part: plain(getattr(made, part)) for part in ("change", "largest")}
                for (whose, equal), made in readings.items()
            ]
            rows.append({"direction": name, "way": way, "verdict": verdict, "readings": told})
    held = {
        "rows": rows, "seeds": seeds, "persons": len(one.at), "tried": TRIED, "profile": PROFILE,
        "seconds": round(time.time() - started), "machine": machine(), "code": fingerprint(TRAINING_ROOTS),
    }  # fmt: skip
    FILE.write_text(json.dumps(held, indent=1) + "\n", encoding="utf8")
    print(FILE)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

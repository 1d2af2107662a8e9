"""The domain gap, both ways: one network trained on drawn people, on photographs and on both, and tested on both.

python benchmarks/gap.py path/to/coco-val2017 [seeds, 3 if not given]; the result goes to results/gap.json, which
chapter 08 shows. As many drawn persons as the photographs have, so the network of both sees twice as many. What is
trained already isn't trained again.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from book import ROOT, machine, plain
from hgnb.data.drawn import synthetic
from hgnb.data.intake.layouts import PART, TEST
from hgnb.data.merge import merge
from hgnb.data.prepared import Prepared
from hgnb.definitions import fingerprint
from hgnb.stats import pck, pck_difference
from hgnb.training import profiles
from hgnb.training.experiment import TRAINING_ROOTS, Experiment
from hgnb.training.passes import mean_pose_hits

PROFILE = "photos-better"  # whose networks know something of photographs
DRAWN, PHOTOGRAPHS, BOTH = "drawn people", "photographs", "both"
TESTED = (DRAWN, PHOTOGRAPHS)
IMAGES = (2700, 400)  # for training and for validation: as many persons to learn from as the photographs have
EIGHTH = 8  # of the drawn training images one in so many is for the test
PLACE = ROOT / "data" / "gap"
FILE = ROOT / "results" / "gap.json"


def folders(photographs: Path) -> dict[str, Path]:
    """The three datasets, the drawn and the merged one made if they aren't there."""
    drawn, both = PLACE / "drawn", PLACE / "both"
    if not drawn.is_dir():
        synthetic.write(drawn, train_images=IMAGES[0], val_images=IMAGES[1])
        file = drawn / "annotations" / "person_keypoints_train2017.json"
        content = json.loads(file.read_text(encoding="utf8"))
        for image in content["images"][::EIGHTH]:  # theirs in the merged data, too
            image[PART] = TEST
        file.write_text(json.dumps(content), encoding="utf8")
    if not both.is_dir():
        merge([photographs, drawn], both)
    return {DRAWN: drawn, PHOTOGRAPHS: photographs, BOTH: both}


def apart(places: dict[str, Path], data: dict[str, Prepared]) -> None:
    """That no test image of either kind is trained on where both are one dataset."""
    merged = [
        image
        for file in (places[BOTH] / "annotations").glob("person_keypoints_*.json")
        for image in json.loads(file.read_text(encoding="utf8"))["images"]
    ]
    trained = set(data[BOTH].split("train").image_ids.tolist())
    seen = {(image["source"], image["source_id"]) for image in merged if image["id"] in trained}
    for on in TESTED:
        tested = {(places[on].name, number) for number in data[on].split("test").image_ids.tolist()}
        assert seen and not seen & tested, f"{len(seen & tested)} test images of {on} are trained on"


def main(photographs: Path, seeds: int) -> None:
    places = folders(photographs)
    data = {name: Experiment.open(PROFILE, str(folder)).prepared() for name, folder in places.items()}
    apart(places, data)
    hits: dict[tuple[str, str], list[np.ndarray]] = {(name, on): [] for name in places for on in TESTED}
    seconds = dict.fromkeys(places, 0.0)
    for seed in range(seeds):
        for name, folder in places.items():
            experiment = Experiment.open(PROFILE, str(folder), seed)
            run = experiment.hourglass()
            seconds[name] += run.manifest["seconds"]
            for on in TESTED:
                made = experiment.reader(run).predict(data[on].split("test"))
                hits[name, on].append(made.hits(experiment.profile.pck).numpy())
        FILE.write_text(json.dumps(_content(data, hits, seconds, seed + 1), indent=1) + "\n", encoding="utf8")
        print(f"{seed + 1} of {seeds} seeds", flush=True)


def _content(data: dict, hits: dict, seconds: dict[str, float], seeds: int) -> dict:
    """What is known after so many seeds."""
    profile, found, floors, gains = profiles.load(PROFILE), {}, {}, {}
    for on in TESTED:
        test = data[on].split("test")
        labelled, images = test.keypoints[..., 2] > 0, test.image_ids
        made = {name: np.stack(hits[name, on]) for name in data}
        found[on] = {
            name: {
                **plain(pck(each, labelled, images)),
                "seeds": [round(float(one[labelled].mean()), 5) for one in each],
            }
            for name, each in made.items()
        }
        floor = mean_pose_hits(data[on].split("train"), test, test.crops.shape[1], profile.model.stride, profile.pck)
        floors[on] = round(float(floor[labelled].mean()), 5)
        gains[on] = {name: plain(pck_difference(made[name], made[on], labelled, images)) for name in data if name != on}
    return {
        "machine": machine(),
        "code": fingerprint(TRAINING_ROOTS),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "profile": PROFILE,
        "seeds": seeds,
        "seconds": {name: round(total) for name, total in seconds.items()},
        "persons": {
            name: {split: len(prepared.split(split)) for split in ("train", "test")} for name, prepared in data.items()
        },
        "floor": floors,  # PCK of each joint's mean position
        "pck": found,  # by what was tested, then by what was trained on
        "gain": gains,  # over the network that was trained on what is tested
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 3)

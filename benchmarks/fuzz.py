"""Damaged datasets: is there always a report, in time and in little memory?

python benchmarks/fuzz.py [annotation files] [image files] [through the command]: 2000, 500 and 50 if not given.
Each damaged folder is checked and prepared by a process of its own with limits: 10 s of processor time (and 60 s on
the clock, since other programs may keep it waiting), 2 GiB. What may come out is a report or one sentence
(InputError); anything else is a finding, kept with its seed in benchmarks/results/fuzz.json.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import mutations

from book import ROOT, machine

SECONDS, CLOCK, MEMORY = 10, 60, 2 << 30
ANNOTATIONS = "annotations/person_keypoints_train2017.json"


def source(folder: Path) -> Path:
    """A sound dataset: eight drawn photographs."""
    from hgnb.data.drawn import synthetic

    return synthetic.write(folder, train_images=5, val_images=3, width=160, height=120, processes=1)


def spoilt(whole: Path, folder: Path, what: str, seed: int) -> str:
    """A copy of a dataset with one file damaged; the kind of damage."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    if what == "annotations":
        kind, content = mutations.annotations((whole / ANNOTATIONS).read_bytes(), seed)
        (folder / ANNOTATIONS).write_bytes(content)
        return kind
    listed = json.loads((whole / ANNOTATIONS).read_text())
    image = listed["images"][seed % len(listed["images"])]
    kind, content = mutations.image((image["width"], image["height"]), seed)
    (folder / "train2017" / image["file_name"]).write_bytes(content)
    if kind == "bomb":  # listed with the very size that its header claims
        image["width"], image["height"] = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        (folder / ANNOTATIONS).write_text(json.dumps(listed))
    return kind


def read(folder: Path) -> str:
    """What everyone who reads a dataset does with it: 'report', 'sound' or 'refused'."""
    import io

    from rich.console import Console

    from hgnb.data import coco
    from hgnb.data.check import check
    from hgnb.data.prepared import prepare
    from hgnb.data.splits import DataConfig
    from hgnb.errors import InputError

    report = check(folder)
    with io.TextIOWrapper(io.BytesIO(), encoding="utf8") as page:
        Console(file=page, width=120).print(report)
        page.flush()
    for attempt in (lambda: coco.check(folder), lambda: prepare(folder, DataConfig(side=32), folder.parent / "cache")):
        try:
            attempt()
        except InputError as error:
            if "\n" in str(error) or len(str(error)) > 1000:
                raise ValueError(f"not one sentence: {str(error)[:200]!r}") from error
    return "sound" if report.sound else "reported" if report.splits else "refused"


def limited() -> None:
    """This process and its children may take so much memory and processor time, and leave no core file."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forked(folder: Path) -> dict:
    """`read` in a child with limits: what came out, seconds, MiB at the peak."""
    shutil.rmtree(folder.parent / "cache", ignore_errors=True)
    shutil.rmtree(folder.parent / "splits", ignore_errors=True)
    told = folder.parent / "told"
    child = os.fork()
    if child == 0:
        try:
            limited()
            signal.alarm(CLOCK)  # ends the process
            told.write_text(read(folder))
        except BaseException:
            told.write_text(traceback.format_exc()[-1500:])
            os._exit(1)
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime
    outcome = told.read_text() if os.WIFEXITED(status) else f"ended by signal {os.WTERMSIG(status)}"
    return {"outcome": outcome, "sound": status == 0, "seconds": seconds, "mib": usage.ru_maxrss / 1024}


def commanded(folder: Path) -> dict:
    """`hgnb data check` in a process with limits."""
    command, before = [sys.executable, "-m", "hgnb.cli", "data", "check", str(folder)], os.times()
    try:
        done = subprocess.run(command, capture_output=True, timeout=CLOCK, preexec_fn=limited, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return {"outcome": "hangs", "sound": False, "seconds": CLOCK, "mib": 0}
    said = (done.stdout + done.stderr).decode("utf8", "replace")
    sound = done.returncode in (0, 1) and "Traceback" not in said and bool(said.strip())
    outcome = ("sound", "reported")[done.returncode] if sound else said[-1500:] or f"status {done.returncode}"
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return {"outcome": outcome, "sound": sound, "seconds": seconds, "mib": 0}


def series(whole: Path, folder: Path, what: str, seeds: range, way) -> dict:
    """So many damaged copies, each read in `way`: outcomes by kind of damage, the worst times and sizes, findings."""
    outcomes, findings, seconds, mib = {}, [], 0.0, 0.0
    for seed in seeds:
        kind = spoilt(whole, folder, what, seed)
        told = way(folder)
        outcomes.setdefault(kind, Counter())[told["outcome"] if told["sound"] else "finding"] += 1
        seconds, mib = max(seconds, told["seconds"]), max(mib, told["mib"])
        if not told["sound"]:
            findings.append({"seed": seed, "kind": kind, "said": told["outcome"]})
            print(f"{what} {seed} ({kind}): {told['outcome']}", flush=True)
    return {
        "files": len(seeds),
        "outcomes": {kind: dict(sorted(counts.items())) for kind, counts in sorted(outcomes.items())},
        "slowest_s": round(seconds, 2),
        "largest_mib": round(mib),
        "findings": findings,
    }


def main() -> None:
    lists, images, commands = [int(n) for n in sys.argv[1:]] or (2000, 500, 50)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        whole, folder = source(place / "whole"), place / "spoilt"
        read(whole)  # imports everything, once for all children
        about = {"limits": {"seconds": SECONDS, "mib": MEMORY >> 20}, "machine": machine()}
        result = {
            "annotations": series(whole, folder, "annotations", range(lists), forked),
            "images": series(whole, folder, "images", range(images), forked),
            "command": series(whole, folder, "annotations", range(10_000, 10_000 + commands), commanded),
            **about,
        }
    out = ROOT / "benchmarks" / "results" / "fuzz.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    found = sum(len(result[part]["findings"]) for part in ("annotations", "images", "command"))
    print(f"{lists} + {images} + {commands} damaged folders: {found} findings")


if __name__ == "__main__":
    main()

"""The same book again: builds from fresh clones on 1, 2 and 4 cores, piece by piece, and trainings on so many threads.

python benchmarks/twice.py: both; python benchmarks/twice.py --builds [profile]: builds alone, of smoke if not given;
python benchmarks/twice.py --threads [profiles]: the trainings alone, of best-1 and best-5 if not given. A profile says
on how many threads it trains, so that a build comes to the same on any number of cores; for the trainings that number
is changed, and PCK may differ, since sums are taken in another order. How far the measurement alone moves is seen on
one trained network. The result goes to benchmarks/results/twice.json: which pieces are equal, which hold times and
can't be, and PCK by threads.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from kill import Build, committed
from sameness import TIMED, pieces, timed, unequal

from book import ROOT, machine

CORES = (1, 2, 4)  # of the builds; the first is what the others are held against
THREADS = (1, 2, 4)
NEAR = 0.005  # PCK
TRAINED = ("best-1", "best-5")  # profiles whose networks learn something in little time
NUMBER = re.compile(r"(?<=\[training\]\n)((?:.+\n)*?)threads = \d+")


def built(build: Build) -> dict[str, str]:
    """The pieces of a build in a fresh clone."""
    build.finish()
    return pieces(build.folder)


def by_threads(clone: Build, profile: str) -> dict:
    """PCK of a profile's hourglass, trained anew on each number of threads, and of the last one measured on each."""
    file, trained, run = clone.folder / "profiles" / f"{profile}.toml", {}, ""
    for threads in THREADS:
        text, changed = NUMBER.subn(rf"\g<1>threads = {threads}", file.read_text())
        if changed != 1:
            sys.exit(f"profiles/{profile}.toml doesn't say on how many threads it trains.")
        file.write_text(text)
        facts = told(clone, threads, "train", "hourglass", "--profile", profile, "--threads", str(threads))
        run, trained[str(threads)] = facts["run"], facts["pck"]
        manifest = json.loads((clone.folder / "data" / "runs" / run / "manifest.json").read_text())
        assert manifest["config"]["training"]["threads"] == threads
        print(profile, "on", threads, "threads:", facts["pck"], flush=True)
    measured = {str(threads): told(clone, threads, "evaluate", run, "--json")["pck"]["value"] for threads in THREADS}
    values = {part: [pck[part] for pck in trained.values()] for part in ("val", "test")} | {
        "measured": [*measured.values()]
    }
    return {"trained": trained, "measured": measured, "apart": {part: float(np.ptp(v)) for part, v in values.items()}}


def told(clone: Build, threads: int, *words: str) -> dict:
    """What a command says on so many threads; those that outnumber the cores wait asleep, or they would take the
    others' time."""
    own = clone.home | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-m", "hgnb.cli", *words]
    done = subprocess.run(command, cwd=clone.folder, env=own, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def trainings(out: Path, clone: Build, profiles: Sequence[str], about: dict) -> None:
    """Adds PCK by threads to the record, profile by profile."""
    for profile in profiles:
        found, held = by_threads(clone, profile), json.loads(out.read_text())
        held.setdefault("threads", {})["near"] = NEAR
        held["threads"].setdefault("profiles", {})[profile] = found | {"machine": about}
        out.write_text(json.dumps(held, indent=1) + "\n")


def builds(out: Path, place: Path, source: Path, profile: str, about: dict) -> None:
    """Records a build on each number of cores; what is known of trainings stays."""
    first, *others = (built(Build(place / f"{n} cores", source, profile, n)) for n in CORES)
    result = {
        "profile": profile,
        "cores": CORES,
        "pieces": len(first),
        "unequal": sorted({name for other in others for name in unequal(first, other)}),
        "timed": timed(first),
        "timed_unequal": [name for name in timed(first) if any(first[name] != other.get(name) for other in others)],
        "timed_rule": TIMED.pattern,
        "machine": about,
    }
    print(json.dumps({key: result[key] for key in ("pieces", "unequal", "timed_unequal")}, indent=1), flush=True)
    out.write_text(json.dumps((json.loads(out.read_text()) if out.exists() else {}) | result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--builds", nargs="?", const="smoke", metavar="PROFILE")
    parser.add_argument("--threads", nargs="*", metavar="PROFILE")
    asked = parser.parse_args()
    both = asked.builds is None and asked.threads is None
    out, about = ROOT / "benchmarks" / "results" / "twice.json", machine()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        source = committed(place)
        if both or asked.builds:
            builds(out, place, source, asked.builds or "smoke", about)
        if both or asked.threads is not None:
            trainings(out, Build(place / "threads", source), asked.threads or TRAINED, about)


if __name__ == "__main__":
    main()

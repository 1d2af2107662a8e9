"""The same book twice: two builds from fresh clones, piece by piece, and trainings on 1, 2 and 4 threads.

python benchmarks/twice.py [profile of the builds] [profile of the trainings]: smoke and tiny if not given.
The result goes to benchmarks/results/twice.json: which pieces are equal, which hold times and can't be, and PCK by
threads, which may differ in the third digit since sums are taken in another order.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kill import Build
from sameness import TIMED, pieces, timed, unequal

from book import ROOT, machine

THREADS = (1, 2, 4)
NEAR = 0.005  # PCK


def built(place: Path, name: str, profile: str) -> dict[str, str]:
    """The pieces of a build in a fresh clone."""
    build = Build(place / name, profile)
    build.finish()
    return pieces(build.folder)


def by_threads(place: Path, profile: str) -> dict[str, dict[str, float]]:
    """PCK of the hourglass on validation and test, trained anew on each number of threads."""
    found = {}
    for threads in THREADS:
        clone = Build(place / f"{threads} threads").folder
        command = [sys.executable, "-m", "hgnb.cli", "train", "hourglass", "--profile", profile]
        done = subprocess.run(
            [*command, "--threads", str(threads)], cwd=clone, env={**os.environ, "HGNB_HOME": str(clone)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found[str(threads)] = json.loads(done.stdout)["pck"]
    return found


def main() -> None:
    profile, trained = [*sys.argv[1:], "smoke", "tiny"][:2] if len(sys.argv) != 2 else (sys.argv[1], "tiny")
    with tempfile.TemporaryDirectory() as place:
        first, second = (built(Path(place), name, profile) for name in ("first", "second"))
        pck = by_threads(Path(place), trained)
    apart = {part: max(p[part] for p in pck.values()) - min(p[part] for p in pck.values()) for part in ("val", "test")}
    result = {
        "profile": profile,
        "pieces": len(first),
        "pictures_and_texts": sum(("/" in name and name[0].isdigit()) or name[0] in "AB" for name in first),
        "unequal": unequal(first, second),
        "timed": timed(first),
        "timed_unequal": [name for name in timed(first) if first[name] != second.get(name)],
        "timed_rule": TIMED.pattern,
        "threads": {"profile": trained, "pck": pck, "apart": apart, "near": NEAR},
        "machine": machine(),
    }
    out = ROOT / "benchmarks" / "results" / "twice.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in ("pieces", "unequal", "timed_unequal", "threads")}, indent=1))


if __name__ == "__main__":
    main()

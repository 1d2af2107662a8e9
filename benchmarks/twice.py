"""The same book twice: two builds from fresh clones, piece by piece, and trainings on 1, 2 and 4 threads.

python benchmarks/twice.py [profile of the builds] [profile of the trainings]: smoke and best-1 if not given.
python benchmarks/twice.py --threads [profile of the trainings]: these alone, beside the builds that are recorded.
The first build has one core, the second two. A profile says on how many threads it trains, so that a build comes to the
same on any number of cores; for the trainings that number is changed, and PCK may differ, since sums are taken in
another order. The result goes to benchmarks/results/twice.json: which pieces are equal, which hold times and can't be,
and PCK by threads.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from kill import Build, committed
from sameness import TIMED, pieces, timed, unequal

from book import ROOT, machine

CORES = (1, 2)  # of the first build and the second
THREADS = (1, 2, 4)
NEAR = 0.005  # PCK
NUMBER = re.compile(r"(?<=\[training\]\n)((?:.+\n)*?)threads = \d+")


def built(build: Build) -> dict[str, str]:
    """The pieces of a build in a fresh clone."""
    build.finish()
    return pieces(build.folder)


def by_threads(clone: Build, profile: str) -> dict[str, dict[str, float]]:
    """PCK of the hourglass on validation and test, trained anew on each number of threads."""
    file, found = clone.folder / "profiles" / f"{profile}.toml", {}
    for threads in THREADS:
        text, changed = NUMBER.subn(rf"\g<1>threads = {threads}", file.read_text())
        if changed != 1:
            sys.exit(f"profiles/{profile}.toml doesn't say on how many threads it trains.")
        file.write_text(text)
        command = [sys.executable, "-m", "hgnb.cli", "train", "hourglass", "--profile", profile]
        # threads that outnumber the cores wait asleep, or they would take the others' time
        done = subprocess.run(
            [*command, "--threads", str(threads)], cwd=clone.folder, env={**clone.home, "OMP_WAIT_POLICY": "passive"},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        facts = json.loads(done.stdout)
        told = json.loads((clone.folder / "data" / "runs" / facts["run"] / "manifest.json").read_text())
        assert told["config"]["training"]["threads"] == threads
        found[str(threads)] = facts["pck"]
        print(threads, "threads:", facts["pck"], flush=True)
    return found


def trainings(place: Path, source: Path, profile: str) -> dict:
    """PCK by threads, and how far it is apart."""
    pck = by_threads(Build(place / "threads", source, profile), profile)
    apart = {part: max(p[part] for p in pck.values()) - min(p[part] for p in pck.values()) for part in ("val", "test")}
    return {"profile": profile, "pck": pck, "apart": apart, "near": NEAR, "machine": machine()}


def main() -> None:
    alone = "--threads" in sys.argv[1:]
    given = dict(enumerate(["smoke", *sys.argv[2:]] if alone else sys.argv[1:]))
    profile, trained = given.get(0, "smoke"), given.get(1, "best-1")
    out = ROOT / "benchmarks" / "results" / "twice.json"
    with tempfile.TemporaryDirectory() as folder:
        place, about = Path(folder), machine()
        source = committed(place)
        if alone:
            result = json.loads(out.read_text()) | {"threads": trainings(place, source, trained)}
            out.write_text(json.dumps(result, indent=1) + "\n")
            return print(json.dumps(result["threads"], indent=1))
        first, second = (built(Build(place / f"{n} cores", source, profile, n)) for n in CORES)
        result = {
            "profile": profile,
            "cores": CORES,
            "pieces": len(first),
            "unequal": unequal(first, second),
            "timed": timed(first),
            "timed_unequal": [name for name in timed(first) if first[name] != second.get(name)],
            "timed_rule": TIMED.pattern,
            "machine": about,
        }
        print(json.dumps({key: result[key] for key in ("pieces", "unequal", "timed_unequal")}, indent=1), flush=True)
        result["threads"] = trainings(place, source, trained)
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["threads"], indent=1))


if __name__ == "__main__":
    main()

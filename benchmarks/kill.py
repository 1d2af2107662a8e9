"""Builds that are killed again and again, and what they come to: `make book` against kill -9, a full disk and itself.

python benchmarks/kill.py [builds] [kills]: 1 build killed ten times if not given; the issue's measure is 5 and 10.
Each build runs in a fresh clone with the profile `smoke`. Two kills of three end every process of the build, as a
power cut does; the third ends the command alone, and what it had started works on. Then the build may finish, and all
it came to is held against a build that nobody disturbed. The result goes to benchmarks/results/kill.json.
"""

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
from sameness import pieces, timed, unequal

from book import ROOT, machine

COMMAND = [sys.executable, "-m", "hgnb.cli", "book", "--profile"]
BUSY = "Another build is running"
LIMIT = 3600  # seconds on the clock: a build that takes longer hangs


class Build:
    """A build in a clone of the committed state."""

    def __init__(self, folder: Path, profile: str = "smoke"):
        self.folder, self.log, self.command = folder, folder.with_suffix(".log"), [*COMMAND, profile]
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)

    def begin(self, **limits) -> psutil.Popen:
        """The command at work."""
        home = {**os.environ, "HGNB_HOME": str(self.folder)}
        with self.log.open("w") as log:
            return psutil.Popen(self.command, cwd=self.folder, env=home, stdout=log, stderr=log, **limits)

    def finish(self) -> float:
        """Seconds of a build that may end; it must succeed, and wait for what an earlier one left at work."""
        start = time.perf_counter()
        while (
            (status := self.begin().wait(LIMIT))
            and BUSY in self.log.read_text()
            and time.perf_counter() - start < LIMIT
        ):
            time.sleep(1)
        if status:
            sys.exit(f"the build ended with status {status}:\n{self.log.read_text()}")
        return time.perf_counter() - start

    def underway(self) -> list[str]:
        """The parts of the build that had begun and not ended."""
        told = re.findall(r"^([…✓✗]) (\S+)", self.log.read_text(), re.M)
        begun = Counter(what for mark, what in told if mark == "…")
        return sorted(begun - Counter(what for mark, what in told if mark != "…")) or ["start"]

    def killed(self, after: float, whole: bool) -> dict:
        """Begins, and kills after so many seconds: every process, or the command alone."""
        process = self.begin()
        try:
            process.wait(after)
        except psutil.TimeoutExpired:
            doomed = [process, *process.children(recursive=True)] if whole else [process]
            for one in doomed:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
            psutil.wait_procs(doomed)
            return {"after_s": round(after, 1), "whole": whole, "at": self.underway()}
        if BUSY in self.log.read_text():  # what an earlier command had started is still at work: later, then
            time.sleep(5)
            return self.killed(after, whole)
        return {"after_s": round(after, 1), "whole": whole, "at": ["finished"]}


def tormented(place: Path, number: int, kills: int, calm: float, wanted: dict[str, str]) -> dict:
    """One build, killed `kills` times at moments that a build of `calm` seconds has, then finished."""
    rng, build = random.Random(number), Build(place / f"killed {number}")
    deaths = [build.killed(rng.uniform(0.01, 0.35) * calm, whole=n % 3 != 2) for n in range(kills)]
    seconds = build.finish()
    return {"kills": deaths, "finished_after_s": round(seconds, 1), "unequal": unequal(wanted, pieces(build.folder))}


def full_disk(place: Path, wanted: dict[str, str]) -> dict:
    """No file may grow beyond so many bytes, as on a disk that fills up; then there is room again."""
    build, said = Build(place / "full disk"), []
    for size in (20_000, 100_000, 400_000, 2_000_000):

        def small(size: int = size) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error instead of the process's end
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        status = build.begin(preexec_fn=small).wait(LIMIT)
        words = [line for line in build.log.read_text().splitlines() if not line.startswith(("…", "✓", "✗"))]
        said.append(
            {"bytes": size, "status": status, "said": words[-3:] if status else "", "trace": "Traceback" in str(words)}
        )
    build.finish()
    return {"attempts": said, "unequal": unequal(wanted, pieces(build.folder))}


def read_only(place: Path) -> dict:
    """A data folder in which nothing may be written is refused in a sentence. Root steps down."""
    build = Build(place / "read only")
    for folder in (place, build.folder, build.folder / "data"):
        folder.chmod(0o755)
    user = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}
    (build.folder / "data").chmod(0o555)
    try:
        status = build.begin(**user).wait(LIMIT)
    except PermissionError:  # this Python lies where nobody else may read
        return {"status": None, "said": ["not tried: another user can't run this Python"], "trace": False}
    words = build.log.read_text()
    return {"status": status, "said": words.strip().splitlines()[-1:], "trace": "Traceback" in words}


def two_at_once(place: Path, wanted: dict[str, str]) -> dict:
    """Two builds in one checkout: one does the work, the other says why it doesn't."""
    build = Build(place / "two")
    first = build.begin()
    time.sleep(8)
    home = {**os.environ, "HGNB_HOME": str(build.folder)}
    second = subprocess.run(build.command, cwd=build.folder, env=home, capture_output=True, text=True)
    status = first.wait(LIMIT)
    return {
        "first": status, "second": second.returncode, "said": second.stderr.strip(),
        "unequal": unequal(wanted, pieces(build.folder)),
    }  # fmt: skip


def main() -> None:
    builds, kills = [int(n) for n in sys.argv[1:]] or (1, 10)
    out = ROOT / "benchmarks" / "results" / "kill.json"
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        calm = Build(place / "calm")
        seconds = calm.finish()
        wanted = pieces(calm.folder)
        result = {"machine": machine(), "calm_s": round(seconds, 1), "pieces": len(wanted), "timed": timed(wanted)}
        result["builds"] = []
        for number in range(builds):
            result["builds"].append(tormented(place, number, kills, seconds, wanted))
            out.write_text(json.dumps(result, indent=1) + "\n")  # what is known stays, if this is cut off as well
            print(json.dumps(result["builds"][-1]), flush=True)
        for name, part in (("two_at_once", two_at_once), ("full_disk", full_disk)):
            result[name] = part(place, wanted)
            print(name, json.dumps(result[name]), flush=True)
        result["read_only"] = read_only(place)
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in ("two_at_once", "full_disk", "read_only")}, indent=1))


if __name__ == "__main__":
    main()

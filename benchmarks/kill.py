"""Builds that are killed again and again, and what they come to: `make book` against kill -9, a full disk and itself.

python benchmarks/kill.py [builds] [kills]: 1 build killed ten times if not given; the measure to reach is 5 and 10.
Each build runs in a clone of its own with the profile `smoke` on two cores. Each kill ends every process of the build,
as a power cut does, but the last: that one ends the command alone, and what it had started works on. A build that ends
before it is killed is taken back with `make clean`. Then the build may finish, and all it came to is held against a
build that nobody disturbed. The result goes to benchmarks/results/kill.json. Kills come at seconds on the clock; what a
build takes is told in seconds of the processor as well, which other programs don't lengthen.
"""

import ctypes
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

BUSY = "Another build is running"
LIMIT = 7200  # seconds on the clock: a build that takes longer hangs
SIZES = (20_000, 100_000, 400_000, 2_000_000)  # bytes that a file may have on a disk that is full
EARLY, LATE = 0.01, 0.35  # of an undisturbed build's time: between these a kill comes
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24  # linux/capability.h, linux/prctl.h


class Build:
    """A build in a clone."""

    def __init__(self, folder: Path, source: Path = ROOT, profile: str = "smoke", cores: int = 2):
        self.folder, self.log = folder, folder.with_suffix(".log")
        command = [sys.executable, "-m", "hgnb_book.cli", "book", "--profile", profile, "--cores", str(cores)]
        self.command = command
        subprocess.run(["git", "clone", "-q", str(source), str(folder)], check=True)

    @property
    def home(self) -> dict[str, str]:
        """The environment of whatever runs in this clone: its own code, data and runs."""
        return {**os.environ, "HGNB_HOME": str(self.folder), "PYTHONPATH": f"{self.folder}:{self.folder}/book"}

    def begin(self, **limits) -> psutil.Popen:
        """The command at work."""
        with self.log.open("w") as log:
            return psutil.Popen(self.command, cwd=self.folder, env=self.home, stdout=log, stderr=log, **limits)

    def finish(self) -> dict[str, float]:
        """Seconds of a build that may end, on the clock and of the processor; it must succeed, and waits for what an
        earlier one left at work."""
        start, before = time.perf_counter(), spent()
        while (
            (status := self.begin().wait(LIMIT))
            and BUSY in self.log.read_text()
            and time.perf_counter() - start < LIMIT
        ):
            time.sleep(5)
        if status:
            sys.exit(f"the build ended with status {status}:\n{self.log.read_text()}")
        return {"clock_s": round(time.perf_counter() - start, 1), "processor_s": round(spent() - before, 1)}

    def words(self) -> list[str]:
        """What the command said, line by line: not which parts began and ended, and no folder of this machine."""
        lines = self.log.read_text().replace(f"{self.folder}/", "").replace(str(self.folder), ".").splitlines()
        return [line for line in lines if line.strip() and not line.startswith(("…", "✓", "✗"))]

    def underway(self) -> list[str]:
        """The parts of the build that had begun and not ended."""
        told = re.findall(r"^([…✓✗]) (\S+)", self.log.read_text(), re.M)
        begun = Counter(what for mark, what in told if mark == "…")
        return sorted(begun - Counter(what for mark, what in told if mark != "…")) or ["start"]

    def killed(self, after: float, whole: bool) -> dict | None:
        """Begins, and kills after so many seconds: every process, or the command alone. None: it had ended before."""
        process = self.begin()
        try:
            status = process.wait(after)
        except psutil.TimeoutExpired:
            doomed = [process, *process.children(recursive=True)] if whole else [process]
            for one in doomed:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
            psutil.wait_procs(doomed)
            return {"after_clock_s": round(after, 1), "whole": whole, "at": self.underway()}
        if status:
            sys.exit(f"a build that had been killed ended with status {status}:\n{self.log.read_text()}")
        subprocess.run(["make", "-s", "clean"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        return None


def spent() -> float:
    """Processor seconds of every process that this one waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def committed(place: Path) -> Path:
    """A clone that the builds are cloned from: what is committed meanwhile makes no two of them differ."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place / "source")], check=True)
    return place / "source"


def tormented(build: Build, number: int, kills: int, calm: float, wanted: dict[str, str]) -> dict:
    """One build, killed `kills` times at moments that a build of `calm` seconds has, then finished."""
    rng, deaths, ended = random.Random(number), [], 0
    while len(deaths) < kills:
        death = build.killed(rng.uniform(EARLY, LATE) * calm, whole=len(deaths) < kills - 1)
        deaths += [death] if death else []
        ended += not death
    last = build.finish()
    return {
        "kills": deaths, "ended_before_a_kill": ended, "finished_after": last,
        "unequal": unequal(wanted, pieces(build.folder)),
    }  # fmt: skip


def full_disk(build: Build, wanted: dict[str, str]) -> dict:
    """No file may grow beyond so many bytes, as on a disk that fills up; then there is room again."""
    said = []
    for size in SIZES:

        def small(size: int = size) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error instead of the process's end
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        status = build.begin(preexec_fn=small).wait(LIMIT)
        words = build.words()
        said.append(
            {"bytes": size, "status": status, "said": words[-3:] if status else "", "trace": "Traceback" in str(words)}
        )
    build.finish()
    return {"attempts": said, "unequal": unequal(wanted, pieces(build.folder))}


def bound() -> None:
    """Root may write whatever permissions say: a process that lost this right is bound by them, as others are."""
    if os.getuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise PermissionError


def read_only(build: Build) -> dict:
    """A data folder in which nothing may be written is refused in a sentence."""
    data = build.folder / "data"
    data.chmod(0o555)
    status = build.begin(preexec_fn=bound).wait(LIMIT)
    data.chmod(0o755)
    words = build.words()
    return {"status": status, "said": words[-1:], "trace": "Traceback" in str(words)}


def two_at_once(build: Build, wanted: dict[str, str]) -> dict:
    """Two builds in one checkout: one does the work, the other says why it doesn't."""
    first = build.begin()
    while build.underway() == ["start"] and first.is_running() and first.status() != psutil.STATUS_ZOMBIE:
        time.sleep(1)
    second = subprocess.run(build.command, cwd=build.folder, env=build.home, capture_output=True, text=True)
    return {
        "first": first.wait(LIMIT), "second": second.returncode, "said": second.stderr.strip(),
        "unequal": unequal(wanted, pieces(build.folder)),
    }  # fmt: skip


def main() -> None:
    builds, kills = [int(n) for n in sys.argv[1:]] or (1, 10)
    out = ROOT / "benchmarks" / "results" / "kill.json"
    with tempfile.TemporaryDirectory() as folder:
        place, result = Path(folder), {"machine": machine()}
        source = committed(place)

        def known(name: str, value) -> None:  # what is known stays, if this is cut off as well
            result[name] = value
            out.write_text(json.dumps(result, indent=1) + "\n")
            print(name, json.dumps(value if not isinstance(value, list) else value[-1:]), flush=True)

        calm = Build(place / "calm", source)
        undisturbed = calm.finish()
        wanted = pieces(calm.folder)
        result |= {"undisturbed": undisturbed, "pieces": len(wanted), "timed": timed(wanted)}
        known("read_only", read_only(Build(place / "read only", source)))
        known("builds", [])
        for number in range(builds):
            build = Build(place / f"killed {number}", source)
            told = tormented(build, number, kills, undisturbed["clock_s"], wanted)
            known("builds", [*result["builds"], told])
            if not number:
                known("two_at_once", two_at_once(Build(place / "two", source), wanted))
                known("full_disk", full_disk(Build(place / "full disk", source), wanted))


if __name__ == "__main__":
    main()

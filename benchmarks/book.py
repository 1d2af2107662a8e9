"""How long `make book` takes from nothing, installation aside, and how much memory at its peak.

python benchmarks/book.py [smoke tiny]; each profile is built in a fresh clone of the committed state.
The result goes to benchmarks/results/book-<profile>.json with the machine it was measured on.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from hgnb.stats import Estimate

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"smoke": 2 * 60, "tiny": 8 * 60}  # seconds on 2 cores: what the book promises


def plain(estimate: "Estimate") -> dict[str, float]:
    """What a page shows of an estimate."""
    return {name: round(float(getattr(estimate, name)), 5) for name in ("value", "low", "high")}


def build(profile: str) -> dict:
    """Wall seconds, peak memory (sum of the processes' own pages, GiB) and a second, idle call."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "a clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        command = [sys.executable, "-m", "hgnb_book.cli", "book", "--profile", profile]
        seconds, memory = watched(command, clone)
        again, _ = watched(command, clone)
        stamps = sorted(clone.glob("data/stamps/*/*.json"))
        stages = {s.stem: json.loads(s.read_text()) for s in stamps if not s.name.startswith(".")}
    return {
        "seconds": round(seconds, 1),
        "peak_gib": round(memory, 2),
        "again_seconds": round(again, 1),
        "stages": stages,
    }


def watched(command: list[str], folder: Path) -> tuple[float, float]:
    """Runs a command; its wall seconds and the peak of the unique memory of its process tree in GiB."""
    own = {
        **os.environ,
        "HGNB_HOME": str(folder),
        "PYTHONPATH": f"{folder}:{folder}/book:{folder}/notebooks",
    }  # the clone's code
    start, peak = time.perf_counter(), 0
    process = psutil.Popen(command, cwd=folder, env=own)
    while process.poll() is None:
        total = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                total += one.memory_full_info().uss
            except psutil.Error:  # it ended while we looked
                continue
        peak = max(peak, total)
        time.sleep(0.25)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with status {process.returncode}")
    return time.perf_counter() - start, peak / 2**30


def machine() -> dict:
    """What the numbers were measured on."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "commit": commit.stdout.strip()}


def peak_memory() -> int:
    """Bytes this process held at most (Linux alone tells). getrusage would count those of the process it came from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def main() -> None:
    for profile in sys.argv[1:] or ["smoke", "tiny"]:
        result = {
            "profile": profile,
            "command": f"hgnb book --profile {profile}",
            **build(profile),
            "machine": machine(),
        }
        out = ROOT / "benchmarks" / "results" / f"book-{profile}.json"
        out.parent.mkdir(exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n")
        verdict = "within" if result["seconds"] <= LIMITS[profile] else "ABOVE"
        print(
            f"{profile}: {result['seconds']:.0f} s ({verdict} {LIMITS[profile]} s), "
            f"{result['peak_gib']} GiB, again {result['again_seconds']} s"
        )


if __name__ == "__main__":
    main()

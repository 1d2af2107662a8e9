"""How much of `hgnb` the tests run, line by line; those that build a whole book are left out, or nearly all would be.

python benchmarks/covered.py; two processes, about twice the time of these tests without it. Programs that a test starts
count as well. The result goes to benchmarks/results/covered.json, the lines that no test runs to standard output.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from book import ROOT, machine

WHOLE = "tests/test_whole_book.py"
TESTS = ["-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-p", "no:cacheprovider", f"--ignore={WHOLE}", "tests"]


def lines(data: str) -> dict:
    """By file, what coverage found in the tests; they must pass."""
    own = os.environ | {"COVERAGE_FILE": data, "OMP_NUM_THREADS": "1"}

    def coverage(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *words], cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            sys.exit(f"coverage {words[0]} ended with status {done.returncode}:\n{done.stdout[-5000:]}")
        return done.stdout

    said = coverage("run", *TESTS)
    coverage("combine", "-q")
    coverage("json", "-q", "-o", f"{data}.json")
    (passed,) = re.findall(r"(\d+) passed", said)
    return {"tests": int(passed), "files": json.loads(Path(f"{data}.json").read_text())["files"]}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = lines(f"{folder}/coverage")
    rooms: dict[str, dict[str, int]] = defaultdict(lambda: {"lines": 0, "run": 0})
    for name, file in sorted(found["files"].items()):
        room, told = ".".join(Path(name).parts[:2]).removesuffix(".py"), file["summary"]
        rooms[room]["lines"] += told["num_statements"]
        rooms[room]["run"] += told["covered_lines"]
        if file["missing_lines"]:
            print(f"{name}: {file['missing_lines']}")
    result = {"tests": found["tests"], "rooms": rooms, "machine": machine()}
    out = ROOT / "benchmarks" / "results" / "covered.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    whole = [sum(room[count] for room in rooms.values()) for count in ("run", "lines")]
    print(f"{whole[0]} of {whole[1]} lines, {100 * whole[0] / whole[1]:.1f} %")


if __name__ == "__main__":
    main()

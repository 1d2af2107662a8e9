"""Gives records today's fingerprints where a change of code left their numbers as they were, and shows that it did.

python benchmarks/renewed.py COMMIT [folder of data ...]: COMMIT is the state that the records are of; folders are those
of data that aren't drawn. Every record's data are prepared anew by today's code and must have the checksum that the
record holds. Trainings of the small profiles are made anew, in an empty home, and all that a record says of them must
come out the same, to its last digit. Then results/*.json of that state get today's fingerprints and, under `renewed`,
the date, the state they came from, the files that differ, and what was compared. Whatever differs is named, and nothing
is written.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from book import ROOT
from hgnb.explain.claims import record
from hgnb.metrics import pck
from hgnb.sources import closure, fingerprint
from hgnb.training import changed, recorded, sweep
from hgnb.training.experiment import CODE, EMBEDDED, FROZEN, Experiment

CODES = (CODE, (*CODE, FROZEN), record.CODE)
SHOWN = {  # trained anew: the beginning of a record's name, and what in it
    "beyond-small-": ("thesis", "best"),
    "lighter-small-embedded": ("stacks-6-inner-64",),
    "seeds-": ("hourglass",),
    "recipes": ("1",),
}
UNEQUAL = ("seconds", "run", "date")  # times, and names that hold a fingerprint


def fresh(name: str, content: dict, part: str, folders: dict[str, str]) -> tuple[dict, dict]:
    """What a record says of one training, and what it comes to today."""
    if name == "recipes":
        experiment = Experiment.open(f"best-{part}", EMBEDDED)
        run = experiment.hourglass()
        made = experiment.reader(run).predict(experiment.prepared().split("test"))
        reached = round(float(pck(made.hits(experiment.profile.pck), made.visibility)), 4)
        held = content["recipes"][part]
        now = {"test": reached, "val": round(float(run.metrics.val_pck.max()), 4), "best_epoch": run.best_epoch()}
        return {key: held[key] for key in now}, now
    about = content["manifest"]
    data = folders[about["data"]]
    if name.startswith("seeds-"):
        experiment = Experiment.open(about["profile"], data)
        metrics, held = experiment.hourglass().metrics, content["seeds"][0]["arms"]["hourglass"]
        columns = ("train_loss", "val_loss", "val_pck")
        return {c: held[c] for c in columns}, {c: [float(f"{v:.6g}") for v in metrics[c]] for c in columns}
    measured, key = (changed.measured, "change") if name.startswith("beyond-") else (sweep.measured, "case")
    held = next(o for o in content["outcomes"] if o[key] == part and o["seed"] == 0)
    now = json.loads(json.dumps(asdict(measured(Experiment.open(about["profile"], data, variant=part)))))
    return tuple({k: v for k, v in told.items() if k not in UNEQUAL} for told in (held, now))


def unequal(content: dict, name: str, folders: dict[str, str]) -> Iterator[str]:
    """What today's code makes otherwise of a record, in sentences."""
    about = content.get("manifest")
    if about and "checksum" in about:
        variant = SHOWN["lighter-small-embedded"][0] if name.startswith("lighter-") else ""
        prepared = Experiment.open(about["profile"], folders[about["data"]], variant=variant).prepared()
        if prepared.checksum != about["checksum"]:
            yield f"{name}: its data"
    for start, parts in SHOWN.items():
        for part in parts if name.startswith(start) else ():
            held, now = fresh(name, content, part, folders)
            yield from (f"{name}: {part}, {key}: {held[key]} was {now[key]}" for key in held if held[key] != now[key])


def main() -> None:
    commit, *given = sys.argv[1:]
    folders = {EMBEDDED: EMBEDDED} | {Path(folder).name: str(Path(folder).resolve()) for folder in given}
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["git", "worktree", "add", "-q", "--detach", f"{place}/then", commit], cwd=ROOT, check=True)
        then, now = Path(place) / "then" / "hgnb", ROOT / "hgnb"
        new = {fingerprint(code, then): fingerprint(code) for code in (*CODES, recorded.DATA_CODE)}
        files = [file.relative_to(now).as_posix() for file in closure(record.CODE, now)]
        files = [f for f in files if not (then / f).is_file() or (then / f).read_bytes() != (now / f).read_bytes()]
        shutil.copytree(ROOT / "profiles", f"{place}/home/profiles")
        (Path(place) / "home" / "hgnb").mkdir()
        subprocess.run(["git", "worktree", "remove", "--force", f"{place}/then"], cwd=ROOT, check=True)
        os.environ["HGNB_HOME"] = f"{place}/home"
        records, wrong = {}, []
        for file in sorted((ROOT / "results").glob("*.json")):
            content = json.loads(file.read_text(encoding="utf8"))
            about = content.get("manifest", content)
            if about.get("code") not in new or new[about["code"]] == about["code"]:
                print(f"{file.name} is not of another state's code: left alone", flush=True)
                continue
            if "renewed" in content:
                sys.exit(f"{file.name} was renewed before: make it anew.")
            records[file] = content
            found = list(unequal(content, file.stem, folders))
            print(file.name, found or "equal", flush=True)
            wrong += found
    if wrong:
        sys.exit("Nothing is renewed:\n" + "\n".join(wrong))
    trained = [f"{name}: {p}" for start, parts in SHOWN.items() for p in parts for name in _names(records, start)]
    said = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "from": commit, "files": files, "trained_anew": trained}
    for file, content in records.items():
        text = file.read_text(encoding="utf8")
        about = content.get("manifest", content)
        for key in {"code", "data_code"} & set(about):
            text = text.replace(about[key], new[about[key]])
        file.write_text(text.rstrip().removesuffix("}").rstrip() + f',\n "renewed": {json.dumps(said)}\n}}\n')


def _names(records: dict[Path, dict], start: str) -> list[str]:
    return [file.stem for file in records if file.stem.startswith(start)]


if __name__ == "__main__":
    main()

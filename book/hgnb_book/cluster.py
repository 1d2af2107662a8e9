"""A study on a cluster: every training of `hgnb record` is a job of Snakemake's, whose profile sends it to the nodes.

Each job is the queue of `hgnb record` with a single training. One that fails leaves the others alone and is named.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from hgnb import records
from hgnb.home import home
from hgnb_book import workflow
from hgnb_book.edition import Edition, resolved
from hgnb_book.plan import SILENT, Asked, Unit

UNBEGUN = f"it wasn't begun; the log is {workflow.LOG}."


def work_off(asked: Asked, units: Sequence[Unit]) -> dict[Unit, str]:
    """Lets Snakemake train and record what isn't done; why each training that failed did."""
    edition, root = Edition(asked.profile, resolved(asked.data), 0), home()
    folder = edition.recorded(root, asked.study)
    wanted = {str(unit): folder / f"{unit.name}-s{unit.seed}.json" for unit in units}
    held = records.find(asked.study, asked.profile, edition.data_name)
    there = {(name, seed.number) for seed in (held.seeds if held else ()) for name in seed.trainings}
    for unit in units:  # a stamp says nothing where its record was removed
        if (unit.name, unit.seed) not in there:
            wanted[str(unit)].unlink(missing_ok=True)
    with workflow.only_build(root) as lock:
        names = [path.stem for path in wanted.values()]
        _, events = workflow.snakemake(
            root, edition, None, lock, "--keep-going", "record", study=asked.study, units=names
        )
    failed = why(wanted, events, root)
    return {unit: failed[str(unit)] for unit in units if str(unit) in failed}


def why(wanted: dict[str, Path], events: list[dict], root: Path) -> dict[str, str]:
    """Why each training that left no stamp failed: in its own words or, where it was ended, in the cluster's.

    BuildError where nothing was begun: then it isn't the trainings that failed.
    """
    missing = {what: path.relative_to(root).as_posix() for what, path in wanted.items() if not path.is_file()}
    own = {event["what"]: event["text"] for event in events if event["kind"] == "failed"}
    begun = {event["what"] for event in events if event["kind"] == "start"}
    jobs = _of_jobs(root)
    if missing and not (begun & missing.keys() or jobs.keys() & set(missing.values())):
        raise workflow.BuildError(workflow.last_words(root))
    ended = {what: SILENT if what in begun else UNBEGUN for what in missing}
    return {what: own.get(what) or jobs.get(path) or ended[what] for what, path in missing.items()}


def _of_jobs(root: Path) -> dict[str, str]:
    """What a cluster said of each job that failed, by the stamp it was to write; of jobs here Snakemake says None."""
    log = (root / workflow.LOG).read_text(encoding="utf8", errors="replace").replace(f"{root}/", "")
    said = {}
    for block in re.split(r"^Error in rule ", log, flags=re.MULTILINE)[1:]:
        facts = dict(re.findall(r"^    (message|output|log): (.+)$", block, re.MULTILINE))
        words = re.split(r"\s*(?:Detailed failure reason|For further error details)", facts.get("message", "None"))[0]
        if words != "None" and "output" in facts:
            where = facts.get("log", workflow.LOG).removesuffix(" (check log file(s) for error details)")
            said[facts["output"]] = f"{words.rstrip('.')}; the log is {where}."
    return said

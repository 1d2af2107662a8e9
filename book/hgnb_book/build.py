"""The whole book: checks what was asked for, lets Snakemake do what isn't done yet, and says how it went."""

import json
import re
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hgnb.data.intake.layouts import annotation_files
from hgnb.data.splits import EMBEDDED
from hgnb.errors import InputError
from hgnb.home import home, write_whole
from hgnb_book import journal
from hgnb_book.edition import Edition, homely, published, resolved
from hgnb_book.workflow import LOG, BuildError, last_words, only_build, snakemake

MARKUP = re.compile(r"[`<>&|$\\\x00-\x1f]")
REPEATED = ("profile", "data", "seed", "folder", "run")  # the same in every row, or too long for one


def build(profile: str, data: str, seed: int, cores: int | None = None, forced: bool = False) -> Path:
    """Make or refresh the site; prints its path and the results, and returns the path of index.html."""
    edition, root = Edition(profile, resolved(data), seed), home()
    homely(root)
    _check(edition, root)
    site, console = root / "site" / "index.html", Console(soft_wrap=True, highlight=False)
    if (there := published(root)) not in ("", str(edition)):
        console.print(f"site/ holds {there}; once this build is done it holds {edition}.", markup=False)
    with only_build(root) as lock:
        if not site.is_file():
            (root / "_build" / "site.json").unlink(missing_ok=True)
        status, events = snakemake(root, edition, cores, lock, *(["--forceall"] if forced else []))
    if status:
        errors = [event["text"] for event in events if event["kind"] == "error"]
        raise BuildError("\n".join(dict.fromkeys(errors)) or cut_off(events) or last_words(root))
    console.print(results(edition))
    console.print(f"\nThe book: {site}", markup=False)
    return site


def _check(edition: Edition, root: Path) -> None:
    """Refuse an edition that can't be built, before anything is written; what passed isn't read again."""
    if letter := unfit_name(edition.data):
        raise InputError(
            f"The data folder's name is printed on pages and can't hold {letter!r}: rename '{edition.data}'."
        )
    given = [root / file for file in edition.numbers(root)]
    if edition.data != EMBEDDED:
        given += annotation_files(Path(edition.data))
    state = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in given if path.is_file()]
    note, text = edition.stamps(root) / ".checked.json", json.dumps(state)
    if not (note.is_file() and note.read_text(encoding="utf8") == text):
        experiment(edition).check()
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(text, encoding="utf8")


def unfit_name(data: str) -> str:
    """The first letter in a data folder's own name that a page could take for markup; '' where there is none."""
    found = MARKUP.search(Path(data).name)
    return found[0] if found else ""


def experiment(edition: Edition):
    """The experiment of an edition, imported late: a build with nothing to do shouldn't load torch."""
    from hgnb.training.experiment import Experiment

    return Experiment.open(edition.profile, edition.data, edition.seed)


def stage(edition: Edition, name: str, out: Path) -> dict:
    """Run the stage called `name` and write what it returns to the stamp `out`."""
    with journal.told(f"{name} (seed {edition.seed})" if edition.seed else name):  # told where it isn't the usual one
        opened = experiment(edition)
        facts = opened.stage(name)
        for remark in opened.remarks() if name == "dataset" else ():
            journal.tell("note", remark)
    # sorted and without times: an unchanged stage leaves an unchanged stamp, and no chapter runs again
    write_whole(out, f"{json.dumps(facts, indent=1, sort_keys=True, default=str)}\n".encode())
    return facts


def results(edition: Edition) -> Table:
    """What the stages of an edition came to, as their stamps say: loads no torch."""
    stamps = sorted(edition.stamps(home()).glob("[!.]*.json"), key=lambda path: path.stat().st_mtime)
    if not stamps:
        raise InputError(
            f"There are no results for profile '{edition.profile}', data '{edition.data_name}' "
            f"and seed {edition.seed}: run 'hgnb book' with these first."
        )
    table = Table("stage", "result", show_edge=False)
    for stamp in stamps:
        try:
            facts = json.loads(stamp.read_text(encoding="utf8"))
        except ValueError as error:
            raise InputError(f"'{stamp.relative_to(home())}' is damaged: delete it and build again.") from error
        table.add_row(stamp.stem, "; ".join(_words(n, v) for n, v in facts.items() if n not in REPEATED))
    return table


def _words(name: str, value: Any) -> str:
    """`pck`, {"val": 0.4561} as "pck val 0.456"."""
    if isinstance(value, dict):
        return f"{name} " + ", ".join(_words(key, item) for key, item in value.items())
    return f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"


def cut_off(events: list[dict]) -> str:
    """A sentence on the parts that had begun and never said how they ended; empty where there is none."""
    begun = [event["what"] for event in events if event["kind"] == "start"]
    ended = {event["what"] for event in events if event["kind"] in ("done", "failed")}
    silent = [what for what in dict.fromkeys(begun) if what not in ended]
    if not silent:
        return ""
    return (
        f"{', '.join(silent)} ended without a word, as a process does that is killed or finds no memory: "
        f"the same command goes on from there; the log is {LOG}."
    )

"""What was tried on this book and what came of it, as tables of the page. B1_trust.

Every number stands in benchmarks/results/, where the programs in benchmarks/ put it with the machine it was found on.
"""

import json
from collections import Counter

import pandas as pd

from hgnb.figures.plate import Note, Table
from hgnb.figures.words import listed, percent
from hgnb.home import home

INPUTS = {
    "annotations": "annotation files, read as `hgnb` reads them",
    "images": "image files, likewise",
    "command": "annotation files, by `hgnb data check`",
}
STEPS = {
    "read": "read the annotations",
    "split": "read and split",
    "check": "check, with every photograph",
    "prepare": "crop and keep",
    "step": "one training step of the thesis's network, 16 persons",
}


PAGES = {
    "own_mb": "MB of its own that a page reads before anybody scrolls",
    "all_mb": "the same with the theme's scripts and styles, MB",
    "painted_s": "seconds until a page shows words",
    "picture_s": "seconds until its first picture is there",
}


def _found(name: str) -> dict | None:
    file = home() / "benchmarks" / "results" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf8")) if file.is_file() else None


def _missing(name: str) -> Note:
    return Note(f"This has not been tried yet: `python benchmarks/{name}.py` does it and records what comes of it.")


def _machine(found: dict) -> str:
    machine = found["machine"]
    return f"Recorded on {machine['cores']} cores of {machine['cpu']}, at commit {machine['commit'][:7]}."


def inputs() -> Table | Note:
    """tbl-trust-inputs: damaged files, and what was said of them."""
    found = _found("fuzz")
    if found is None:
        return _missing("fuzz")
    rows = []
    for part, words in INPUTS.items():
        tried = found[part]
        outcomes = sum((Counter(counts) for counts in tried["outcomes"].values()), Counter())
        said = outcomes["reported"] + outcomes["refused"]
        rows.append((words, tried["files"], said, outcomes["sound"], len(tried["findings"]), tried["slowest_s"],
                     tried["largest_mib"] or "–"))  # fmt: skip
    columns = [
        "Damaged files",
        "Tried",
        "Reported or refused",
        "Harmless",
        "Anything else",
        "Slowest, processor s",
        "Largest, MiB",
    ]
    limits = found["limits"]
    caption = (
        "Datasets with one file damaged at random, each read by a process that may take "
        f"{limits['seconds']} s of a processor and {limits['mib']:,} MiB. Anything else than a report or one sentence "
        f"(a traceback, a process that hangs or is too large) counts as a failure of this book. {_machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-trust-inputs")


def kills() -> Table | Note:
    """tbl-trust-kills: builds that were killed, filled up and run twice at a time."""
    found = _found("kill")
    if found is None:
        return _missing("kill")
    rows = []
    for number, build in enumerate(found["builds"], 1):
        struck = Counter(what for death in build["kills"] for what in death["at"])
        during = listed([f"{what} ({times})" for what, times in struck.most_common()])
        rows.append((f"build {number}, killed {len(build['kills'])} times", f"during {during}", _same(build)))
    if two := found.get("two_at_once"):
        rows.append(("two builds at once", f"the second: {_quoted(two['said'])}", _same(two)))
    if disk := found.get("full_disk"):
        sizes = listed([f"{attempt['bytes'] / 1e6:g}" for attempt in disk["attempts"]])
        rows.append((f"no file above {sizes} MB, then room again", _stopped(disk["attempts"]), _same(disk)))
    if locked := found.get("read_only"):
        rows.append(("a data folder that can't be written", _quoted(" ".join(locked["said"])), "–"))
    columns = ["What was done to it", "When, or what was said", "Results unequal to an undisturbed build's"]
    caption = (
        "Builds of the profile `smoke` that were disturbed, finished afterwards and compared with one that was not: "
        f"{found['pieces'] - len(found['timed']):,} results, pictures and texts, those left out that show measured "
        f"times. {_machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-trust-kills")


def _same(build: dict) -> str:
    unequal = build["unequal"]
    return f"{len(unequal)}: {listed(unequal)}" if unequal else "0"


def _stopped(attempts: list[dict]) -> str:
    """How the builds on a full disk ended, and the last sentence of the first that stopped."""
    stopped = [attempt for attempt in attempts if attempt["status"]]
    broken = sum(attempt["trace"] for attempt in stopped)
    ends = f"{len(stopped)} of {len(attempts)} stopped, {broken} with a traceback"
    return f"{ends}; the first: {_quoted(' '.join(stopped[0]['said']))}" if stopped else ends


def _quoted(words: str) -> str:
    return f"“{words.strip().splitlines()[-1] if words.strip() else 'nothing'}”"


def twice() -> Table | Note:
    """tbl-trust-twice: what two builds share exactly, and what they can't."""
    found = _found("twice")
    if found is None:
        return _missing("twice")
    threads, cores = found["threads"], [str(n) for n in found["cores"]]
    rows: list[tuple[str, int, int | str]] = [
        ("results, pictures and texts of two builds", found["pieces"] - len(found["timed"]), len(found["unequal"])),
        ("of those that show measured times", len(found["timed"]), len(found["timed_unequal"])),
    ]
    rows += [
        (f"{part} PCK of the hourglass on {listed(list(threads['pck']))} threads", len(threads["pck"]),
         f"{threads['apart'][part]:.4f} apart")
        for part in ("val", "test")
    ]  # fmt: skip
    caption = (
        f"The same twice: two builds of `{found['profile']}` from fresh clones, with {listed(cores)} cores, and the "
        f"hourglass of `{threads['profile']}` with its number of threads changed; {threads['near']:g} is what its PCK "
        f"is meant to differ by at most. {_machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=["What", "Compared", "Unequal"]), caption, "tbl-trust-twice")


def load() -> Table | Note:
    """tbl-trust-load: what many persons cost, and how it grows."""
    found = _found("load")
    if found is None:
        return _missing("load")
    rows = []
    for series, unit in (("persons", "persons"), ("rows", "annotations")):
        for step, told in found[series].items():
            most, worst = list(told["at"].items())[-1]
            rows.append((STEPS[step], f"{int(most):,} {unit}", f"{worst['seconds']:.1f}", f"{worst['mib']:,.0f}",
                         f"{told['slope']['seconds']:.2f}", f"{told['slope']['mib']:.2f}"))  # fmt: skip
    columns = ["Step", "Of", "Processor, s", "Peak, MiB", "Slope of time", "Slope of memory"]
    caption = (
        "Time and memory of each step at its largest, and the slope of both against the number of persons in log-log "
        f"(0: doesn't grow; 1: grows as they do), without what a process takes to import. The {found['drawn']} "
        "photographs are listed again and again. "
        f"{_machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-trust-load")


def mutants() -> Table | Note:
    """tbl-trust-mutants: how many small changes of the code the tests notice."""
    found = _found("mutants")
    if found is None:
        return _missing("mutants")
    rows = [
        (f"`{room}`", tried["mutants"], tried["killed"], percent(tried["killed"] / tried["mutants"]))
        for room, tried in found["rooms"].items()
    ]
    made, noticed = (sum(tried[key] for tried in found["rooms"].values()) for key in ("mutants", "killed"))
    rows.append(("together", made, noticed, percent(noticed / made)))
    caption = (
        "Small changes of the code (a sign, a bound, a number, a comparison), one at a time, and how many of them make "
        f"a test fail. {_machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=["Room", "Changes", "Noticed", "Share"]), caption, "tbl-trust-mutants")


def pages() -> Table | Note:
    """tbl-trust-pages: what the heaviest and slowest pages of a built site cost their reader."""
    found = _found("pages")
    if found is None:
        return _missing("pages")
    rows, limits = [], found["limits"]
    for key, words in PAGES.items():
        page, most = max(((n, p[key]) for n, p in found["pages"].items() if p[key] is not None), key=lambda at: at[1])
        name = page.removeprefix("_executed/").removesuffix(".html")
        rows.append((words, f"{most:.2f}", limits.get(key, "–"), f"`{name}`"))
    rows.append(("MB of the whole site", f"{found['site_mb']:.0f}", limits["site_mb"], "–"))
    caption = (
        f"The worst of {len(found['pages'])} pages of a site of the profile `{found['profile']}`, opened from disk in "
        f"Chromium without a network and with nothing cached, median of {found['visits']} visits. {_machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=["What", "Most", "Allowed", "Page"]), caption, "tbl-trust-pages")

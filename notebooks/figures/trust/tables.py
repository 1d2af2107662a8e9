"""The tables of B1_trust: a record each, or a sentence where there is none."""

from collections import Counter

import pandas as pd

from figures.page import Table, listed, number, percent
from figures.trust import records

INPUTS = {
    "annotations": "annotation files, read as `hgnb` reads them",
    "images": "image files, likewise",
    "command": "annotation files, by `hgnb data check`",
}
UNITS = {"persons": "persons", "rows": "annotations"}
STEPS = {
    "read": "read the annotations",
    "split": "read and split",
    "check": "check, with every photograph",
    "prepare": "crop and keep",
    "step": "one training step of the thesis's network, 16 persons",
}
MOMENTS = {"start": "its start", "site": "rendering"}  # all others are names of stages and chapters
ON_THREADS = {
    "val": "trained on {} threads, PCK on validation",
    "test": "trained on {} threads, PCK on test",
    "measured": "trained once, its PCK on test measured on {} threads",
}
PAGES = {
    "own_mb": "MB of its own that a page reads before anybody scrolls",
    "all_mb": "the same with the theme's scripts and styles, MB",
    "painted_s": "seconds until a page shows words",
    "picture_s": "seconds until its first picture is there",
}


@records.shown("fuzz")
def inputs(found: dict) -> Table:
    """tbl-trust-inputs: damaged files, and what was said of them."""
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
        f"(a traceback, a process that hangs or is too large) counts as a failure of this book. "
        f"{records.machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-trust-inputs")


@records.shown("kill")
def kills(found: dict) -> Table:
    """tbl-trust-kills: builds that were killed, filled up and run twice at a time."""
    rows = []
    for turn, build in enumerate(found["builds"], 1):
        struck = Counter(what for death in build["kills"] for what in death["at"])
        during = listed([f"{MOMENTS.get(what, what)} ({times})" for what, times in struck.most_common()])
        rows.append((f"build {turn}, killed {len(build['kills'])} times", f"during {during}", _same(build)))
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
        f"times. {records.machine(found)}"
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


@records.shown("twice")
def twice(found: dict) -> Table:
    """tbl-trust-twice: what builds share exactly, and what they can't."""
    rows: list[tuple[str, int, int | str]] = [
        (
            "results, pictures and texts that show no measured time",
            found["pieces"] - len(found["timed"]),
            len(found["unequal"]),
        ),
        ("those that show measured times", len(found["timed"]), len(found["timed_unequal"])),
    ]
    threads = found["threads"]
    for profile, of in threads["profiles"].items():
        numbers = listed(list(of["trained"]))
        for part, words in ON_THREADS.items():
            apart = f"{of['apart'][part]:.4f} apart"
            rows.append((f"`{profile}` {words.format(numbers)}", len(of["trained"]), apart))
    caption = (
        f"The same again: builds of `{found['profile']}` from fresh clones, on "
        f"{listed([str(n) for n in found['cores']])} cores, and the PCK of hourglasses whose number of threads was "
        f"changed, which is meant to differ by {threads['near']:g} at most. {records.machine(found)} Trained: "
        f"{listed([f'`{name}` at {records.commit(of)}' for name, of in threads['profiles'].items()])}."
    )
    return Table(pd.DataFrame(rows, columns=["What", "Compared", "Unequal"]), caption, "tbl-trust-twice")


@records.shown("load")
def load(found: dict) -> Table:
    """tbl-trust-load: what many persons cost, and how it grows."""
    rows = []
    for series, unit in UNITS.items():
        for step, told in found[series].items():
            most, worst = list(told["at"].items())[-1]
            rows.append((STEPS[step], f"{int(most):,} {unit}", f"{worst['seconds']:.1f}", f"{worst['mib']:,.0f}",
                         number(told["slope"]["seconds"]), number(told["slope"]["mib"])))  # fmt: skip
    columns = ["Step", "Of", "Processor, s", "Peak, MiB", "Slope of time", "Slope of memory"]
    caption = (
        "Time and memory of each step at its largest, and the slope of both against the number of persons in log-log "
        f"(0: doesn't grow; 1: grows as they do), without what a process takes to import. The {found['drawn']} "
        "photographs are listed again and again. "
        f"{records.machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-trust-load")


@records.shown("mutants")
def mutants(found: dict) -> Table:
    """tbl-trust-mutants: how many small changes of the code the tests notice."""
    rows = [(f"`{room}`", *_share(tried["killed"], tried["mutants"])) for room, tried in found["rooms"].items()]
    rows.append(("together", *_share(records.total(found, "killed"), records.total(found, "mutants"))))
    caption = (
        "Small changes of the code (a sign, a bound, a number, a comparison), one at a time, and how many of them make "
        f"a test fail. {records.machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=["Room", "Changes", "Noticed", "Share"]), caption, "tbl-trust-mutants")


def _share(part: int, whole: int) -> tuple[str, str, str]:
    return f"{whole:,}", f"{part:,}", percent(part / whole)


@records.shown("covered")
def covered(found: dict) -> Table:
    """tbl-trust-covered: how many lines of each room the tests run."""
    rows = [(f"`{room}`", *_share(told["run"], told["lines"])) for room, told in found["rooms"].items()]
    rows.append(("together", *_share(records.total(found, "run"), records.total(found, "lines"))))
    caption = (
        f"Lines of code that at least one of {found['tests']:,} tests runs, those that build a whole book left out: "
        f"these run most lines and look at few. {records.machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=["Room", "Lines", "Run", "Share"]), caption, "tbl-trust-covered")


@records.shown("pages")
def pages(found: dict) -> Table:
    """tbl-trust-pages: what the heaviest and slowest pages of a built site cost their reader."""
    rows, limits = [], found["limits"]
    for key, words in PAGES.items():
        page, most = max(((n, p[key]) for n, p in found["pages"].items() if p[key] is not None), key=lambda at: at[1])
        name = page.removeprefix("_executed/").removesuffix(".html")
        rows.append((words, f"{most:.2f}", limits.get(key, "–"), f"`{name}`"))
    rows.append(("MB of the whole site", f"{found['site_mb']:.0f}", limits["site_mb"], "–"))
    caption = (
        f"The worst of {len(found['pages'])} pages of a site of the profile `{found['profile']}`, opened from disk in "
        f"Chromium without a network and with nothing cached, median of {found['visits']} visits. "
        f"{records.machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=["What", "Most", "Allowed", "Page"]), caption, "tbl-trust-pages")


@records.shown("coverage")
def coverage(found: dict) -> Table:
    """tbl-trust-coverage: how often intervals hold the true value, and how often a family of claims is wrong."""
    rows = []
    for tried in found["tried"]:
        covered = tried["covered"]
        least, most = min(covered, key=covered.__getitem__), max(covered, key=covered.__getitem__)
        rows.append((
            tried["shape"], tried["seeds"], f"{tried['photographs']:,}", f"{percent(covered[least], 1)} ({least})",
            f"{percent(covered[most], 1)} ({most})", percent(tried["family_errs"], 1),
        ))  # fmt: skip
    columns = ["Effects of photographs", "Seeds", "Photographs", "Fewest", "Most", "Wrong families"]
    caption = (
        f"How many of {found['repetitions']:,} intervals of 95 % hold the true value, of drawn data whose true values "
        f"are known: the quantity with the fewest and the one with the most of {len(covered)}; and how many families "
        f"of {found['family']} claims, all exactly at their limits, decide any of them after Holm's correction, which "
        f"should be 5 % at most. {records.machine(found)}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-trust-coverage")

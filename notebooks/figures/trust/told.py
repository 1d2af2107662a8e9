"""What the records of B1_trust come to, a sentence for each that is there."""

from collections.abc import Callable

from figures.page import Note, listed, percent
from figures.trust import records
from figures.trust.tables import INPUTS, STEPS, UNITS


def learned() -> Note:
    """The page's last words: what held, and what didn't."""
    sentences = [say(found) for name, say in SENTENCES.items() if (found := records.found(name))]
    return Note("\n".join(f"- {sentence}" for sentence in sentences) or "Nothing has been tried here yet.")


def _inputs(found: dict) -> str:
    files, wrong = sum(found[part]["files"] for part in INPUTS), sum(len(found[part]["findings"]) for part in INPUTS)
    return f"Of {files:,} damaged files {wrong or 'none'} led to anything but a report, a sentence or a sound reading."


def _kills(found: dict) -> str:
    builds = found["builds"]
    kills, wrong = sum(len(b["kills"]) for b in builds), sum(len(b["unequal"]) for b in builds)
    built = f"{len(builds)} builds" if len(builds) > 1 else "One build"
    came = f"came to {wrong or 'no'} other results than one that nobody disturbed"
    return f"{built}, killed {kills} times in all and then left alone, {came}."


def _twice(found: dict) -> str:
    whole, threads = found["pieces"] - len(found["timed"]), found["threads"]
    moved = {name: max(of["apart"][part] for part in ("val", "test")) for name, of in threads["profiles"].items()}
    by = listed([f"{most:.4f} (`{name}`)" for name, most in moved.items()])
    met = "less than" if max(moved.values()) < threads["near"] else "not less than"
    measured = max(of["apart"]["measured"] for of in threads["profiles"].values())
    return (
        f"Builds on {listed([str(n) for n in found['cores']])} cores are equal in "
        f"{whole - len(found['unequal']):,} of {whole:,} results that show no measured time; trained on other numbers "
        f"of threads, a network's PCK moved by up to {by}, {met} the {threads['near']:g} that was allowed; measured on "
        f"them, by up to {measured:.4f}."
    )


def _load(found: dict) -> str:
    slope, step, of = max(
        (told["slope"]["seconds"], STEPS[step], UNITS[of]) for of in UNITS for step, told in found[of].items()
    )
    return f"Of all steps “{step}” grows the fastest in time: with the number of {of} to the power of {slope:.2f}."


def _mutants(found: dict) -> str:
    killed, made = (records.total(found, count) for count in ("killed", "mutants"))
    return f"Of {made:,} small changes of the code the tests notice {killed:,}, {percent(killed / made)}."


def _covered(found: dict) -> str:
    run, lines = (records.total(found, count) for count in ("run", "lines"))
    return f"Tests that build no whole book run {percent(run / lines)} of the library's {lines:,} lines."


def _coverage(found: dict) -> str:
    covered = [share for tried in found["tried"] for share in tried["covered"].values()]
    errs, power = [t["family_errs"] for t in found["tried"]], [t["found"] for t in found["power"]]
    return (
        f"Intervals of 95 % hold the true value in {percent(min(covered), 1)} to {percent(max(covered), 1)} of "
        f"{found['repetitions']:,} draws, whatever the number of seeds and photographs; a family of claims that are "
        f"all exactly at their limits decides any in {percent(min(errs), 1)} to {percent(max(errs), 1)}; an effect "
        f"that is said to be found with 80 % power is found in {percent(min(power))} to {percent(max(power))}."
    )


SENTENCES: dict[str, Callable[[dict], str]] = {
    "fuzz": _inputs, "kill": _kills, "twice": _twice, "load": _load, "mutants": _mutants, "covered": _covered,
    "coverage": _coverage,
}  # fmt: skip

"""Verdicts at other sizes and under other readings of the sources, drawn from ledgers that are kept; and networks on
people of another kind than theirs, as benchmarks/gap.py measured them. Of 08_how_far.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from figures.page import Note, Plate, Table, capital, listed, nothing, number
from figures.verdicts import LEVEL, SIGNS, WORDS, at, badge, recorded
from hgnb.claims.carried import (
    CARRIES,
    JUDGED,
    PROFILE,
    TURNED,
    Carried,
    Reading,
    Row,
    profile_of,
    readings,
    size,
    trended,
)
from hgnb.claims.carried import carried as carried  # the chapter takes these two from here
from hgnb.claims.carried import ledgers as ledgers
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, SEEDS, UNDECIDED, knows
from hgnb.claims.ledger import BY_ID, Result
from hgnb.data.splits import EMBEDDED
from hgnb.drawing import BLUE, GREEN, GREY, INK, ORANGE, RED, style
from hgnb.stats import Estimate
from hgnb.training import profiles
from hgnb.training.networks import CHANGES, get
from hgnb.training.recorded import aged
from hgnb.training.recorded import measured as measured  # the chapter takes it from here

NONE = {
    "scale": f"No other size is recorded in `results/`: `make scale PROFILE={PROFILE} SEEDS=5` records eight.",
    "readings": f"No other reading is recorded in `results/`: `make readings PROFILE={PROFILE} SEEDS=5` records them.",
}
COLOURS = {HOLDS: BLUE, FAILS: RED, UNDECIDED: GREY, NEEDS: GREY}
WIDTHS = (ORANGE, BLUE, INK)  # of the narrowest network to the widest
ACROSS = 4  # panels in a line
TRAINED = {"drawn people": (ORANGE, "s"), "photographs": (BLUE, "o"), "both": (GREEN, "D")}
GAP = "`python benchmarks/gap.py path/to/coco-val2017`"


# Sizes


def photographs() -> Result | None:
    """The recorded ledger of COCO's photographs."""
    there = (column.result for column in recorded(PROFILE, EMBEDDED))
    return next((result for result in there if result.record.data != EMBEDDED), None)


def scale(verdicts: Sequence[Carried], photographs: Result | None) -> Plate:
    """fig-scale: the number behind each decided verdict, at every size; that of COCO's photographs beside it."""
    if not verdicts:
        return nothing(NONE["scale"])
    places = {change: _place(change) for change in verdicts[0].rows}
    channels, persons = (sorted({place[i] for place in places.values()}) for i in (0, 1))
    beside = {row["id"]: row for row in photographs.rows} if photographs else {}
    with style():
        lines = -(-len(verdicts) // ACROSS)
        figure, axes = plt.subplots(lines, ACROSS, figsize=(2.5 * ACROSS, 2.1 * lines + 0.5), squeeze=False)
        for ax in axes.flat[len(verdicts) :]:
            ax.axis("off")
        for ax, one in zip(axes.flat, verdicts, strict=False):
            for change, row in one.rows.items():
                wide, many = places[change]
                which = channels.index(wide)
                _estimate(row, persons.index(many) + 0.18 * (which - (len(channels) - 1) / 2), WIDTHS[which], "o", ax)
            _estimate(beside.get(one.id, {}), len(persons), RED, "D", ax)
            _limits(one, ax)
            ax.set_title(f"{one.id} {WORDS[one.own]} {SIGNS[one.own]} {_over(one)}", fontsize=9)
            ax.set_xticks(range(len(persons) + 1), [*(f"{many:,}" for many in persons), "COCO"], fontsize=7)
            ax.tick_params(axis="y", labelsize=7)
            ax.set_xlim(-0.5, len(persons) + 0.5)
        marks = [_mark(colour, "o", f"{wide} channels") for colour, wide in zip(WIDTHS, channels, strict=False)]
        marks += [_mark(RED, "D", "photographs"), _mark(GREY, "o", "not judged there", hollow=True)]
        figure.legend(handles=marks, loc="outside lower center", ncol=len(marks), fontsize=8)
    caption = (
        f"The number that decides each claim which networks of `{PROFILE}` decide, with its 95 % interval, by drawn "
        "persons trained on (across) and width (colour), and on COCO's photographs where it is measured there; dashed: what "
        "the claim asks of it; what the number is says {numref}`tbl-scale`. Hollow: a gate is shut at that size, so it is shown "
        "and not judged. Above each: the claim, its verdict, and what becomes of it over the sizes that judge it."
    )
    return Plate(figure, caption, carrying(verdicts))


def _place(change: str) -> tuple[int, int]:
    """Channels and training persons under a change of the profile."""
    profile = profiles.load(profile_of(change))
    return profile.model.channels, profile.data.train_persons


def _estimate(row: Row, x: float, colour: str, marker: str, ax: Axes) -> None:
    """A row's number with its interval, hollow where it wasn't judged; nothing where it has none."""
    made = row.get("estimate")
    if made and made["value"] is not None:
        if made["low"] is not None and made["high"] is not None:
            ax.plot([x, x], [made["low"], made["high"]], color=colour, linewidth=1.2)
        face = colour if row["sides"] else "white"
        ax.plot(x, made["value"], marker, color=colour, markersize=4, markerfacecolor=face)


def _limits(one: Carried, ax: Axes) -> None:
    """What the claim asks of its number."""
    for limit in one.rows[""].get("asked", {}).values():
        ax.axhline(limit, color=INK, linewidth=0.9, linestyle="--")


def _over(one: Carried) -> str:
    """What becomes of a verdict over all sizes, in a word."""
    return WORDS.get(one.verdict, one.verdict)


def _mark(colour: str, marker: str, label: str, hollow: bool = False) -> plt.Line2D:
    face = "white" if hollow else colour
    return plt.Line2D([], [], color=colour, marker=marker, linestyle="", markerfacecolor=face, label=label)


def scale_table(verdicts: Sequence[Carried]) -> Table:
    """tbl-scale: how each verdict fares over all sizes."""
    rows = [
        (
            f"**{at(one.id)}** {BY_ID[one.id].sentence}", f"{badge(one.own)}: {one.rows['']['measured'].partition(';')[0]}",
            f"{one.stands} of {len(one.judged)}",
            listed([called(change) for change in one.contrary]) or "–", one.trend.text(3), trended(one), _over(one),
        )
        for one in verdicts
    ]  # fmt: skip
    columns = ["Claim", f"`{PROFILE}`", "So at", "Contrary at", "Change a doubling", "Trend", "Over all sizes"]
    caption = (
        "Each decided verdict, with the number that decides it, at the sizes at which its claim can be judged: at how many "
        "it is the same by itself, where it is the contrary, how much the number that decides changes when the training doubles (its interval by itself, the "
        "trend corrected for all claims), and what follows for the sizes together."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-scale", ("Over all sizes",))


def called(change: str) -> str:
    """'64 channels, 640 persons'."""
    return ", ".join(get(name).title for name in change.split("+")) if change else f"`{PROFILE}` itself"


def carrying(verdicts: Sequence[Carried]) -> str:
    """Which verdicts carry to other sizes, in a sentence."""
    if not verdicts:
        return NONE["scale"]
    told = {word: [one.id for one in verdicts if one.verdict == word] for word in (CARRIES, TURNED, UNDECIDED, NEEDS)}
    judged = len(verdicts) - len(told[NEEDS])
    if not judged:
        return f"None of the {len(verdicts)} decided verdicts is judged at {JUDGED} sizes, so nothing is said of all sizes."
    trends = [f"{one.id} {trended(one)}" for one in verdicts if trended(one) in ("rises", "falls")]
    sizes = sum(row["seeds"] >= SEEDS for row in verdicts[0].rows.values())
    spread = [size(change) for one in verdicts if one.verdict != NEEDS for change in one.judged]
    parts = [
        f"{sizes} of {len(CHANGES['scale']) + 1} sizes are recorded; of {judged} decided verdicts that are judged at {JUDGED} of them or more {listed(told[CARRIES]) or 'none'} "
        f"carr{'y' if len(told[CARRIES]) > 1 else 'ies'} to all of them",
        f"{listed(told[TURNED])} turn{'s' if len(told[TURNED]) == 1 else ''} at some size" if told[TURNED] else "",
        f"of {listed(told[UNDECIDED])} it can't be told" if told[UNDECIDED] else "",
        f"{listed(told[NEEDS])} {'is' if len(told[NEEDS]) == 1 else 'are'} judged at fewer" if told[NEEDS] else "",
        f"with size the number behind {listed(trends)}" if trends else "no number has a clear trend with size",
        f"they are judged between {_times(min(spread))} and {_times(max(spread))} times the training of `{PROFILE}`",
    ]
    return "; ".join(filter(None, parts)) + "."


def _times(power: float) -> str:
    """'1/4' or '4': two to a power."""
    return f"{2**power:g}" if power >= 0 else f"1/{2**-power:g}"


def shut(found: Mapping[str, Result]) -> Note:
    """The sizes, what their networks reach, how many claims are judged, how long they trained, and what failed."""
    lines = []
    for change, result in found.items():
        judged, seeds = sum(bool(row["sides"]) for row in result.rows), len(result.seeds)
        told = (
            f"test PCK {_row(result, LEVEL)['measured']}, {judged} claims judged, {seeds} seed{'s' * (seeds > 1)} in "
            f"{number(result.record.hours, 1)} hours of a core"
        )
        lines.append("; ".join([f"- {called(change)}: {told}", *_lost(result)]) + ".")
    return Note("\n".join(lines))


def _lost(result: Result) -> list[str]:
    """'`autoencoder` of seeds 1 and 2 failed, the first: why', of each training of a record that didn't end."""
    failed: dict[str, dict[int, str]] = {}
    for seed in result.record.seeds:
        for name, why in seed.failed.items():
            failed.setdefault(name, {})[seed.number] = why
    told = []
    for name, reasons in failed.items():
        seeds = f"seed{'s' * (len(reasons) > 1)} {listed([str(number) for number in reasons])}"
        why = next(iter(reasons.values())).partition(", on the persons")[0].rstrip(".")  # who is in its log
        told.append(f"`{name}` of {seeds} failed{', the first' * (len(reasons) > 1)}: {why}")
    return told


def _row(result: Result, name: str) -> Row:
    return next(row for row in result.rows if row["id"] == name)


# Readings


def specification(verdicts: Sequence[Carried]) -> Plate:
    """fig-specification: each decided claim's number under every reading, sorted; below, which reading it is."""
    if not verdicts:
        return nothing(NONE["readings"])
    names = [name for name in verdicts[0].rows if any(one.rows[name]["estimate"] for one in verdicts)]
    with style():
        lines = [verdicts[i : i + ACROSS] for i in range(0, len(verdicts), ACROSS)]
        deep = 0.16 * len(names) + 1.9
        figure = plt.figure(figsize=(2.6 * ACROSS, deep * len(lines)))
        for part, claims in zip(np.atleast_1d(figure.subfigures(len(lines), 1)), lines, strict=True):
            _curves(part, claims, names)
    caption = (
        f"Specification curves: the number behind each verdict of `{PROFILE}` under every recorded reading of the "
        "sources that changes its networks, sorted, with its 95 % interval (blue: the claim holds; red: it fails; grey: "
        "undecided or, hollow, not judged; what the number is says {numref}`tbl-scale`); dashed: what the claim asks of it. The dots below "
        "say which reading each is; the first line is the book's own. Above each: the claim, its verdict, and in how many of the readings that judge it, "
        "the book's own among them, it is the same."
    )
    told = [f"{one.id} {one.own} in {one.stands} of {len(one.judged)}" for one in verdicts]
    return Plate(figure, caption, f"Of the readings that judge them, the book's own among them, {listed(told)}.")


def _curves(part: SubFigure, claims: Sequence[Carried], names: Sequence[str]) -> None:
    axes = part.subplots(2, ACROSS, sharex="col", height_ratios=(1.5, 0.16 * len(names)), squeeze=False)
    for ax in axes[:, len(claims) :].flat:
        ax.axis("off")
    for column, (one, (above, below)) in enumerate(zip(claims, axes.T, strict=False)):
        known = [name for name in names if (one.rows[name]["estimate"] or {}).get("value") is not None]
        known.sort(key=lambda name: one.rows[name]["estimate"]["value"])
        for x, name in enumerate(known):
            row = one.rows[name]
            _estimate(row, x, COLOURS[row["verdict"]], "o", above)
            below.plot(x, names.index(name), "o", color=COLOURS[row["verdict"]], markersize=4 if name else 6)
        _limits(one, above)
        above.set_title(f"{one.id} {WORDS[one.own]} {SIGNS[one.own]} {one.stands} of {len(one.judged)}", fontsize=9)
        above.tick_params(axis="y", labelsize=7)
        below.set(ylim=(len(names) - 0.4, -0.6), xticks=[])
        titles = [called(name).replace("`", "") if not column else "" for name in names]
        below.set_yticks(range(len(names)), titles, fontsize=7)


def readings_table(found: Mapping[str, Result]) -> Table:
    """tbl-readings: what each other reading does to the verdicts; of one that isn't recorded, that."""
    made = {one.change: one for one in readings(found)}
    rows = [(_cited(change), *_does(made.get(change), found)) for change in CHANGES["readings"]]
    columns = ["Reading", "Test PCK", "Verdicts that stand", "Turned", "Open now", "Decided now", "Moves most"]
    own = f", whose own test PCK is {_row(found[''], LEVEL)['measured']}" if found else ""
    hours = sum(found[change].record.hours for change in made)
    took = f" Those recorded took {number(hours, 1)} hours of a core." if made else ""
    failed = {one.title: _lost(found[change]) for change, one in made.items()}
    lost = "".join(f" *{title}*: {'; '.join(told)}." for title, told in failed.items() if told)
    caption = (
        f"What reading the sources in another way, one at a time, does to the verdicts of `{PROFILE}`{own}: how many of "
        "its decided ones about networks that the reading changes stand, of those that it judges, which turn, how many are "
        "undecided instead or not judged, how many open ones are decided; and the decided claim whose number moves most, in "
        f"standard errors of the difference as if both were independent, which on the same test persons makes them fewer.{took}{lost}"
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-readings", folded=not made)


def _does(one: Reading | None, found: Mapping[str, Result]) -> tuple[str, ...]:
    if one is None:
        return ("not recorded", *["–"] * 5)
    decided = (HOLDS, FAILS)
    shut = one.count(decided, (NEEDS,))
    stand = f"{one.count(decided, decided) - len(one.changed)} of {one.asked - shut}" if one.asked > shut else "–"
    turned, reached = "; ".join(one.changed) or "–", _row(found[one.change], LEVEL)["measured"]
    if (seeds := len(found[one.change].seeds)) < SEEDS:
        reached += f" ({seeds} of {SEEDS} seeds)"
    open_ = {"undecided": one.count(decided, (UNDECIDED,)), "not judged": shut}
    told = listed([f"{many} {words}" for words, many in open_.items() if many]) or "–"
    return reached, stand, turned, told, str(one.count((UNDECIDED, NEEDS), decided)), _far(one.farthest)


def _cited(change: str) -> str:
    """A reading's title with its place in the sources, or its ambiguity."""
    title, source = get(change).title, get(change).source.split(";")[0]
    number_of = source.removeprefix("ambiguity ")
    cited = f"{{ref}}`{source} <ambiguity-{number_of}>`" if number_of != source else source
    return f"{title} ({cited})"


def _far(farthest: tuple[str, float]) -> str:
    name, moves = farthest
    return f"{at(name)} by {number(moves, 1)}" if name else "–"


def depending(found: Mapping[str, Result]) -> str:
    """Which verdicts depend on a reading, and which reading matters most, in a sentence."""
    made = readings(found)
    if not made:
        return NONE["readings"]
    known, whole = CHANGES["readings"], sum(len(found[one.change].seeds) >= SEEDS for one in made)
    last = f" {whole} of {len(known)} are recorded ({{numref}}`tbl-readings`)." if whole < len(known) else ""
    judged = [one for one in made if any(other["sides"] for _, other in one.rows)]
    if not judged:
        return f"Of {len(made)} other readings none is recorded well enough to judge a claim.{last}"
    turned = [f"{words} (*{one.title}*)" for one in judged for words in one.changed]
    most = max(judged, key=lambda one: np.nan_to_num(abs(one.farthest[1])))
    again = max((one.repetition for one in judged), key=lambda move: np.nan_to_num(abs(move[1])))
    aside = sum(not one.asked for one in judged)
    beside = f", {aside} of which leave{'s' * (aside == 1)} alone what the decided verdicts are about," if aside else ""
    does = f"these turn a verdict: {listed(turned)}" if turned else "none turns a verdict"
    first = f"Of {len(judged)} other readings{beside} {does}"
    beyond = f", where a mere repetition moves {_far(again)}" if again[0] else ""
    farthest = f"what moves a decided number most is *{most.title}*: {_far(most.farthest)} standard errors{beyond}"
    moves = farthest if most.farthest[0] else ""
    weak = listed([f"*{o.title}*" for o in made if o not in judged and len(found[o.change].seeds) >= SEEDS])
    unjudged = f"{weak} can't be judged, for its networks find too little" if weak else ""
    return f"{'; '.join(filter(None, (first, _standing(carried(found)), moves, unjudged)))}.{last}"


def _standing(verdicts: Sequence[Carried]) -> str:
    """In how many readings each verdict stands."""
    asked = [one for one in verdicts if len(one.judged) > 1]
    whole = [one.id for one in asked if one.stands == len(one.judged)]
    part = [f"{one.id} in {one.stands} of {len(one.judged)}" for one in asked if one.id not in whole]
    many = len(whole) > 1
    alike = f"{listed(whole)} {'are' if many else 'is'} decided alike by every reading that judges {'them' if many else 'it'}"
    return "; ".join(filter(None, (alike if whole else "", f"{listed(part)}, the book's own counted" if part else "")))


# People of the other kind


def gap(held: Mapping[str, Any]) -> Plate:
    """fig-gap: test PCK on drawn people and on photographs, by what a network was trained on."""
    if not held:
        return nothing(f"Nothing of this is recorded: {GAP} trains and tests.")
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.6, 2.5), sharey=True)
        for ax, (tested, made) in zip(axes, reversed(held["pck"].items()), strict=True):
            ax.axvline(held["floor"][tested], color=GREY, linestyle=":")
            for y, (trained, (colour, marker)) in enumerate(TRAINED.items()):
                row = made[trained]
                ax.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.6)
                ax.plot(row["value"], y, marker, color=colour, markersize=6)
                ax.plot(row["seeds"], [y + 0.26] * len(row["seeds"]), "|", color=colour, markersize=7)
            ax.set(title=f"tested on {tested}", xlabel="test PCK", ylim=(len(TRAINED) - 0.5, -0.5), xlim=(0, None))
            ax.grid(axis="y", visible=False)
        axes[0].set_yticks(range(len(TRAINED)), [f"trained on {name}" for name in TRAINED])
    persons, seeds = held["persons"], held["seeds"]
    caption = (
        f"Test PCK with its 95 % interval, and each of {seeds} seed{'s' if seeds > 1 else ''} (strokes), of one network "
        f"(`{held['profile']}`) trained on {persons['drawn people']['train']:,} drawn persons, on "
        f"{persons['photographs']['train']:,} photographed ones of COCO, or on all {persons['both']['train']:,}; dotted: each joint's mean position. "
        f"Tested on {persons['photographs']['test']:,} photographed and {persons['drawn people']['test']:,} drawn persons."
    )
    return Plate(figure, caption, crossing(held))


def crossing(held: Mapping[str, Any]) -> str:
    """What a network keeps on people of the other kind, and what training on both brings, in sentences."""
    told, joined = [], []
    for tested, made in held["pck"].items():
        gains = held["gain"][tested]
        other = next(name for name in gains if name != "both")
        told.append(
            f"on {tested} a network trained on {other} finds {number(made[other]['value'], 3)} of the keypoints, where one "
            f"trained on {tested} finds {number(made[tested]['value'], 3)} and the mean pose "
            f"{number(held['floor'][tested], 3)}"
        )
        joined.append(f"{Estimate(**gains['both']).text(3)} on {tested}")
    words = f"{listed(told)}; training on both, so on more persons, instead of on one's own kind alone adds {listed(joined)} in test PCK."
    weak = [name for name, made in held["pck"].items() if not knows(made[name]["value"], held["floor"][name])]
    shut = f" The network of {listed(weak)} knows too little for this to say anything." if weak else ""
    return f"{capital(words)}{shut}{aged(held)}"

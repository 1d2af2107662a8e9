"""Figures of what predicting nothing costs and what a loss near it says. Ambiguities 1 and 2; 07_beyond."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.experiment import THESIS_BEST
from figures.page import Plate, Table, number, percent, signed, small
from hgnb.analysis.silence import (
    READINGS,
    REPORTED,
    REPORTED_TRAINING,
    SIGMAS,
    SIZE,
    Loudness,
    Silence,
    by_labels,
    energy,
    error_of,
    error_reaching,
    limit,
    reached,
    uncertain,
)
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.drawing.style import BLUE, GREEN, GREY, INK, ORANGE, RED, style

REACH = 3.2  # pixels of a map of 64: thesis 5.1
ABOUT = (0.78, 0.96)  # the thesis's best validation loss over that of silence, by who was kept (ambiguity 2)
LOOKS = {0.5: (BLUE, "-"), 1.0: (GREEN, "--"), 2.0: (ORANGE, "-.")}


def silence_table(measured: Mapping[str, tuple[HeatmapConfig, Silence]], who: str, size: int) -> Table:
    """tbl-silence: the loss of predicting nothing for several targets, by formula and from the data's heatmaps.

    measured: by title; `size`: pixels of the maps that they were measured on.
    """
    rows = []
    for title, (config, found) in measured.items():
        sigmas = (config.sigma_visible, config.sigma_hidden)
        own, fine = ([f(s, config.targets) for s in sigmas] for f in (energy, limit))
        labels = found.visible * own[0] + found.hidden * own[1]
        rows.append((
            title, f"{own[0]:.3f}, {own[1]:.3f}", f"{fine[0]:.3f}, {fine[1]:.3f}", small(found.closed),
            small(found.measured), f"{signed(100 * (found.measured / found.closed - 1), 1)} %",
            small(labels / (found.keypoints * SIZE**2)),
        ))  # fmt: skip
    columns = [
        "Targets", "Sum of squares of a map, v = 2, v = 1", "As pixels become fine", "Silent loss, formula",
        "Silent loss, measured", "Borders", f"On maps of {SIZE}",
    ]  # fmt: skip
    first = next(iter(measured.values()))[1]
    caption = (
        f"The loss of predicting nothing on {who}, with {first.visible:.1f} visible and {first.hidden:.1f} hidden "
        f"labels of {first.keypoints} keypoints a person on average, on maps of {size} pixels: from these counts "
        "alone, and from the heatmaps that training makes; the difference is what borders fold back. The last column "
        f"has the same counts on maps of {SIZE} pixels, as the thesis's, whose best validation loss is "
        f"{small(REPORTED)}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption, "tbl-silence")


def readings(found: Silence) -> Plate:
    """fig-silence-readings: the silent loss by labelled keypoints, for both readings of sigma, and what was reported.

    found: of the persons at hand, whose count of labels and share of visible ones are marked.
    """
    labelled, seen = found.visible + found.hidden, found.visible / (found.visible + found.hidden)
    with style():
        figure, ax = plt.subplots(figsize=(7, 3.7))
        plot_readings(labelled, seen, found.keypoints, ax=ax)
    here = {name: float(by_labels(np.array(labelled), seen, s, found.keypoints)) for name, s in READINGS.items()}
    told = ", ".join(f"{name} {small(value)}" for name, value in here.items())
    caption = (
        f"The loss of predicting nothing on maps of {SIZE} pixels that sum to 1, by how many of {found.keypoints} "
        "keypoints a person has labelled, for the two orders in which the thesis gives its widths "
        "({ref}`ambiguity 1 <ambiguity-1>`). Bands: between 70 and 100 % of the labels are visible; lines and dots: "
        f"{percent(seen)}, as here, where a person has {labelled:.1f}: {told}. Dotted: what the thesis reports."
    )
    below = here["σ as in 8.2"] < REPORTED_TRAINING
    alt = (
        f"With widths as in section 4.2.3 silence costs {small(here['σ as in 4.2.3'])} at {labelled:.1f} labels, with "
        f"those of section 8.2 {small(here['σ as in 8.2'])}, "
        f"{'below' if below else 'not below'} even the best training loss reported, {small(REPORTED_TRAINING)}."
    )
    return Plate(figure, caption, alt)


def plot_readings(labelled: float, seen: float, keypoints: int, *, ax: Axes | None = None) -> Axes:
    """Two bands over the number of labels, the reported losses across them."""
    ax = ax or plt.gca()
    counts = np.linspace(0, keypoints, 60)
    for (name, sigmas), colour, line in zip(READINGS.items(), (BLUE, RED), ("-", "--"), strict=True):
        low, high = (by_labels(counts, share, sigmas, keypoints) for share in (0.7, 1.0))
        ax.fill_between(counts, low, high, color=colour, alpha=0.15)
        ax.plot(counts, by_labels(counts, seen, sigmas, keypoints), line, color=colour, label=name)
        ax.plot(labelled, by_labels(np.array(labelled), seen, sigmas, keypoints), "o", color=colour)
    for value, words in ((REPORTED, "best validation loss"), (REPORTED_TRAINING, "best training loss")):
        ax.axhline(value, color=INK, linestyle=":", linewidth=1.2)
        ax.annotate(words, (0.1, value), xytext=(0, 3), textcoords="offset points", fontsize=8)
    ax.set(xlim=(0, keypoints), ylim=(0, None), xlabel="labelled keypoints of a person", ylabel="loss of silence")
    ax.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.86), fontsize=9)
    return ax


def blind_spot() -> Plate:
    """fig-blind-spot: the least loss and the PCK of a network that knows places up to a Gaussian error."""
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.6))
        plot_uncertain(ax=left)
        plot_exchange(ax=right)
    far, near = np.array(6.0), np.array(2.0)
    gains = {s: float(uncertain(far, s) - uncertain(near, s)) for s in SIGMAS}
    won = float(reached(near, REACH) - reached(far, REACH))
    told = ", ".join(f"{percent(g, 1)} of silence at σ = {s:g}" for s, g in gains.items())
    ends = [error_of(share, 0.5) for share in ABOUT]
    caption = (
        "A network that knows where a keypoint is up to a Gaussian error, and draws the best map for what it knows. "
        "Left: its loss over that of silence, for three widths of the target, and its PCK (black). Right: one "
        f"against the other; the band is where the thesis's best validation loss lies, {ABOUT[0]} to {ABOUT[1]} of "
        f"silence, which for σ = 0.5 are errors of {ends[0]:.1f} to {ends[1]:.1f} pixels. PCK counts errors below "
        f"{REACH} pixels of a map of {SIZE}."
    )
    alt = f"Bringing the error from 6 to 2 pixels raises PCK by {won:.2f} and lowers the loss by {told}."
    return Plate(figure, caption, alt)


def plot_uncertain(*, ax: Axes | None = None) -> Axes:
    """Loss over silence and PCK by error."""
    ax = ax or plt.gca()
    errors = np.geomspace(0.1, 20, 200)
    for sigma, (colour, line) in LOOKS.items():
        ax.plot(errors, uncertain(errors, sigma), line, color=colour, label=f"loss, σ = {sigma:g}")
    ax.plot(errors, reached(errors, REACH), color=INK, linewidth=2.4, label="PCK")
    ax.set(xscale="log", xlabel="error in x and in y, pixels of the map", ylim=(0, 1.03), xlim=(0.1, 20))
    ax.set_ylabel("share of silence; PCK")
    ax.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
    ax.minorticks_off()
    ax.legend(fontsize=8, loc="center left")
    return ax


def plot_exchange(*, ax: Axes | None = None) -> Axes:
    """PCK by loss over silence: how much of the loss must go before PCK rises."""
    ax = ax or plt.gca()
    errors = np.geomspace(0.1, 60, 300)
    for sigma, (colour, line) in LOOKS.items():
        ax.plot(uncertain(errors, sigma), reached(errors, REACH), line, color=colour, label=f"σ = {sigma:g}")
    ax.axvspan(*ABOUT, color=GREY, alpha=0.2, linewidth=0)
    ax.text(np.mean(ABOUT), 0.02, "thesis", ha="center", fontsize=8, color=INK)
    ax.set(xlim=(1, 0), ylim=(0, 1.03), xlabel="loss, share of silence (falling to the right)", ylabel="PCK")
    ax.legend(fontsize=8, loc="lower right")
    return ax


def told(loss: float, silent: float, sigma: float, score: float, size: int) -> str:
    """What the best validation loss of a run says of its errors, beside the PCK that was measured."""
    ratio = loss / silent
    if ratio >= 1:
        return (
            f"This run's best validation loss, {small(loss)}, is not below that of silence, {small(silent)}: as a loss "
            f"it has learned nothing, and yet its PCK is {number(score, 3)}."
        )
    error = error_of(ratio, sigma)
    expected = float(reached(np.array(error), REACH * size / SIZE))
    return (
        f"This run's best validation loss is {percent(ratio)} of silence, {small(loss)} against {small(silent)}. If "
        f"all keypoints were known alike, that would be an error of {error:.2f} pixels of its maps and a PCK of "
        f"{expected:.2f}; measured are {number(score, 3)}."
    )


def thesis() -> str:
    """What the thesis's loss and PCK at its best epoch say together of the loss of silence."""
    _, _, loss, score = THESIS_BEST["val_pck"]
    error = error_reaching(score, REACH)
    share = float(uncertain(np.array(error), 0.5))
    return (
        f"At its epoch of the best PCK, {score}, the thesis reports a validation loss of {small(loss)}. Were all "
        f"keypoints known alike, that PCK would mean an error of {error:.1f} pixels, hence a loss of {share:.2f} of "
        f"silence, and silence would cost {small(loss / share)}: one more way to the same range."
    )


def louder(found: Loudness, rate: float) -> str:
    """How far a step may move a pixel, beside the targets."""
    told = ", ".join(f"{value:.3g} for targets that {style}" for style, value in found.targets.items())
    first = next(iter(found.targets.values()))
    return (
        f"In this run a step of the optimiser, at its rate of {rate:g}, may move every pixel of a map by up to "
        f"{found.step:.2g}. The root mean square of what the map should be is {told}: the step is "
        f"{found.step / first:.1f} times as large as the first."
    )

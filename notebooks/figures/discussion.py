"""Tables and figures of chapter 05: what compares with what. Thesis table 3, figures 26 and 27; 05_discussion."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.page import Plate, Table, percent
from hgnb.analysis.components import Components
from hgnb.analysis.reasons import SIGNAL
from hgnb.data.schema import KeypointSchema
from hgnb.drawing.style import GREY, MODIFIED, ORIGINAL, style
from hgnb.stats import Estimate, pck, pck_difference
from hgnb.training.profiles import Profile

THESIS_COMPONENTS = {"hourglass": 541, "autoencoder": 16}  # 8.3.2, figure 27

# Thesis table 3, section 8.2, and the test PCKs of 8.1 and 7.3 (ambiguity 10); v = 1 was not reported.
COLUMNS = ("all", "v = 1", "v = 2", "limbs")
OTHERS = (
    ("Olsen, 2A", 2, "v = 2 only", ("–", "–", "0.72", "–")),
    ("Olsen, 2B", 2, "v = 2 only", ("–", "–", "0.81", "–")),
    ("Olsen, 2M", 2, "v = 2 only", ("–", "–", "0.83", "–")),
    ("Newell et al., one hourglass (validation)", 1, "all joints of FLIC, MPII", ("–", "–", "–", "≈ 0.65")),
)
THESIS = {"hourglass": ("0.441", "–", "0.469", "0.32"), "modified hourglass": ("0.474", "–", "0.576", "0.38")}


@dataclass(frozen=True)
class Measured:
    """One network on one split: PCK over each of the table's sets of keypoints."""

    values: dict[str, Estimate]
    keypoints: dict[str, int]

    @classmethod
    def of(cls, hits: np.ndarray, visibility: np.ndarray, images: np.ndarray, schema: KeypointSchema) -> "Measured":
        """hits (N, K) bool, visibility (N, K), images (N,): all labelled, hidden, visible, and limb keypoints."""
        sets = subsets(visibility, schema)
        return cls(
            {name: pck(hits, counted, images) for name, counted in sets.items()},
            {name: int(counted.sum()) for name, counted in sets.items()},
        )


def subsets(visibility: np.ndarray, schema: KeypointSchema) -> dict[str, np.ndarray]:
    """(N, K) masks of the keypoints that each column of tbl-comparison counts."""
    limb = np.isin(np.arange(len(schema)), schema.groups["limbs"])
    masks = (visibility > 0, visibility == 1, visibility == 2, (visibility > 0) & limb)
    return dict(zip(COLUMNS, masks, strict=True))


def comparison(measured: dict[str, Measured], persons: int, data: str) -> Table:
    """tbl-comparison: table 3 of the thesis with its running text's numbers, and this run's beside them."""
    head = ("Model", "Stacks", "Trained on", *COLUMNS)
    rows: list[tuple[str | int, ...]] = [(name, stacks, trained, *values) for name, stacks, trained, values in OTHERS]
    for name, result in measured.items():
        rows.append((f"{name.capitalize()}, thesis", 1, "v = 1 and 2", *THESIS[name]))
        here = (result.values[c].text(3) for c in COLUMNS)
        rows.append((f"**{name.capitalize()}, this run**", 1, "v = 1 and 2", *here))
    counts = next(iter(measured.values())).keypoints
    sets = zip(COLUMNS, ("in all", "hidden", "visible", "on limbs"), strict=True)
    told = ", ".join(f"{counts[c]:,} {words}" for c, words in sets)
    caption = (
        "Test PCK of the thesis's models, of this run's, and of those the thesis compares with (its table 3 and "
        f"section 8.2). This run: {persons:,} test persons of {data}, keypoints {told}; 95 % intervals, images "
        "resampled. A dash: not reported, or no such keypoint in the data."
    )
    return Table(pd.DataFrame(rows, columns=list(head)), caption, "tbl-comparison")


def explained_variance(hourglass: Components, autoencoder: Components, who: str) -> Plate:
    """fig-explained-variance: cumulative share of the variance in both latent spaces."""
    spaces = {"hourglass": hourglass, "autoencoder": autoencoder}
    with style():
        figure, ax = plt.subplots(figsize=(7, 3.8))
        plot_explained_variance(spaces, ax=ax)
    needed = {name: parts.needed(SIGNAL) for name, parts in spaces.items()}
    each = ", ".join(f"{needed[n]:,} of {parts.axes.shape[1]:,} for the {n}" for n, parts in spaces.items())
    caption = (
        f"Cumulative explained variance of the hourglass's latents and of the autoencoder's codes, {who}. "
        f"Components for {percent(SIGNAL)} of the variance: {each}; the thesis needed {THESIS_COMPONENTS['hourglass']} "
        f"of 4,096 and {THESIS_COMPONENTS['autoencoder']} of 50."
    )
    a, b = needed["hourglass"], needed["autoencoder"]
    if not (a and b):
        return Plate(
            figure, caption, "At least one of the two spaces has too few persons, or no variance, for components."
        )
    order = "fewer than" if b < a else "more than" if b > a else "as many as"
    return Plate(
        figure,
        caption,
        f"The autoencoder's codes need {b:,} components for {percent(SIGNAL)} of their variance, {order} the "
        f"hourglass's latents, which need {a:,}.",
    )


def plot_explained_variance(spaces: dict[str, Components], *, ax: Axes | None = None) -> Axes:
    """Cumulative share against the number of components, logarithmic; where each space reaches 95 % is marked."""
    ax = ax or plt.gca()
    looks = {"hourglass": (ORIGINAL, "-", "o"), "autoencoder": (MODIFIED, "--", "s")}
    ax.axhline(SIGNAL, color=GREY, linewidth=0.9, linestyle=":")
    for name, parts in spaces.items():
        needed = parts.needed(SIGNAL)
        if not needed:
            continue
        colour, line, marker = looks[name]
        total = np.cumsum(parts.ratio)
        ax.plot(
            np.arange(1, len(total) + 1), total, line, color=colour, label=f"{name}: {needed:,} for {percent(SIGNAL)}"
        )
        ax.plot(needed, total[needed - 1], marker, color=colour, markersize=7)
    ax.set(xscale="log", xlabel="principal components", ylabel="cumulative share of the variance", ylim=(0, 1.03))
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="lower right")
    else:
        ax.text(0.5, 0.5, "Too few persons for components.", ha="center", transform=ax.transAxes)
    return ax


def gain(original: np.ndarray, modified: np.ndarray, visibility: np.ndarray, images: np.ndarray) -> Estimate:
    """Pooled PCK of the modified network less the original's, hits (N, K) of the same persons; paired by image."""
    return pck_difference(modified, original, visibility > 0, images)


def reach(profile: Profile, data: str, persons: int) -> str:
    """What a run of this profile on these data can show, in a few sentences."""
    name, channels = profile.name, profile.model.channels
    size = f"This page was run with the profile `{name}` on `{data}`, {persons:,} training persons. "
    if name == "paper":
        return size + (
            "Its settings are the thesis's. Its numbers may be compared with the thesis's as far as the data are: "
            "those were COCO's, with 124,040 training persons."
        )
    if name == "smoke":
        return size + (
            "That profile proves that every step runs: its network is a toy trained for seconds, and none of its "
            "numbers says anything about the thesis's claims."
        )
    return size + (
        f"The thesis had 124,040 persons of COCO, 256 feature maps where this network has {channels}, and days of "
        "training. What is found here holds for this smaller experiment; a level, such as a PCK or a number of "
        "components, is not to be compared with the thesis's."
    )

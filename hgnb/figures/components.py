"""Walks along the principal components, and what each one tells. Thesis figure 15; 03_interpretation."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd

from hgnb.explain.components import Trait, Walk
from hgnb.figures.plate import Plate, Table
from hgnb.figures.portraits import Portraits
from hgnb.figures.style import style
from hgnb.figures.words import nothing, number, percent


def walks(paths: Sequence[Walk], steps: Sequence[float], portraits: Portraits, who: str) -> Plate:
    """fig-pc-walks: the person nearest each point of the walk along each component."""
    if not paths:
        return nothing(
            "The persons' latents don't vary, or there are fewer than two: no component to walk along.",
            "No components.",
            "There are too few persons for a principal component.",
        )
    with style():
        figure, axes = plt.subplots(
            len(paths), len(steps), figsize=(1.16 * len(steps) + 1.0, 1.16 * len(paths) + 0.3), squeeze=False
        )
        figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
        for row, walk in enumerate(paths):
            for column, person in enumerate(walk.persons):
                portraits.draw(axes[row, column], int(person))
            label = f"PC {walk.component}\n{percent(walk.ratio, 2)}"
            axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=6)
        for column, c in enumerate(steps):
            axes[0, column].set_title(f"c = {c:g}".replace("-", "−"), fontsize=9, pad=3)
    caption = (
        rf"True heatmaps of the person nearest to $\bar{{x}} + c\sqrt{{\lambda}}\,w$, for {who}: one row for each "
        "component with its share of the variance, one column for each step. Blue: the person's left, red: right."
    )
    met = ", ".join(f"{w.different} on PC {w.component}" for w in paths)
    return Plate(figure, caption, f"Different persons met in {len(steps)} steps: {met}.")


def table(traits: Sequence[Trait], who: str) -> Table:
    """tbl-components: what each of the first components tells."""
    rows = [
        {
            "PC": t.component,
            "variance": percent(t.ratio, 1),
            "AUC sitting": t.sitting.text(2),
            "AUC moving": t.moving.text(2),
            "r labelled": number(t.labelled),
            "r hidden": number(t.hidden),
            "r size": number(t.size),
        }
        for t in traits
    ] or [{"PC": "–", "variance": "too few persons for a component"}]
    caption = (
        f"The first components of the latents of {who}: share of the variance, AUC against sitting (told from people "
        "on their feet) and against moving, and correlation with the number of labelled and of hidden keypoints and "
        "with the logarithm of the crop's side in the photograph. An AUC far from 0.5 on either side separates; "
        "a dash means that the quantity doesn't vary. 95 % intervals, not corrected for their number."
    )
    return Table(pd.DataFrame(rows).fillna("–"), caption, "tbl-components")

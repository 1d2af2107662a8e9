"""The network opened, a named pose (thesis figure 1), and the network in the page: figures of 00_claims,
00_introduction and 00_try_it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from figures.exhibit import Exhibit
from figures.live import facts, title
from figures.page import (
    Live,
    Note,
    Plate,
    capital,
    credited,
    number,
    opened,
    percent,
    sides_legend,
    signed,
    small,
    verdict,
)
from figures.portraits import Portraits
from figures.portraits import peaks as middles
from hgnb.analysis.annotated import COMMAND
from hgnb.analysis.silence import REPORTED, of_coco
from hgnb.analysis.skips import hits_of
from hgnb.data.coco import Split
from hgnb.data.crops import keypoints_in, square
from hgnb.data.heatmaps import cells
from hgnb.data.schema import KeypointSchema
from hgnb.drawing import GREY, INK, SIDES, grid, over, picture, skeleton, style
from hgnb.errors import InputError
from hgnb.metrics import PckConfig, peaks
from hgnb.stats import Estimate
from hgnb.training.passes import Reader

SIZE = 384  # pixels: larger than a network's crop, so that the joints' names have room
LABEL = "fig-try-it"
SHOWN = 5  # persons of the still pictures
CHANCE = ("above chance", "below chance", "may be chance")
STEPS = 17  # of the colour map
NEAR = 2  # cells of a map within which a peak lies at its keypoint, in a picture


def why_weak() -> Note:
    """How near the thesis's best validation loss lies to that of predicting nothing, however its persons were chosen."""
    low, high = of_coco()
    if not np.isfinite(low):
        return Note(f"COCO's annotations aren't counted here: `{COMMAND}` counts them.")
    return Note(
        "**What its loss says**: a network that draws nothing at all has a loss, too. The thesis's best validation "
        f"loss, {small(REPORTED)}, is {percent(low)} to {percent(high)} of that, depending on which of COCO's people it "
        "was taken on ({numref}`tbl-annotations-silence`); so near silence a loss hardly says how many joints are found "
        "({numref}`fig-blind-spot`)."
    )


def auc(area: Estimate) -> str:
    """'AUC 0.69 (…), above chance', or a dash."""
    if not area.known:
        return "AUC –"
    return f"AUC {area.text(2)}, {verdict(replace(area, low=area.low - 0.5, high=area.high - 0.5), *CHANCE)}"


def beside(measure: str, thesis: float, here: Estimate) -> tuple[str, str, str]:
    """A level of the thesis's, one of ours, and the difference, which no two levels stand beside each other without."""
    return f"{measure} {number(thesis, 3)}", f"{measure} {here.text(3)}", signed(here.value - thesis)


@torch.inference_mode()
def opened_network(reader: Reader, portraits: Portraits, who: str, *, crops: bool) -> Plate:
    """fig-opened: a person, what each level of the network makes of it down to the waist and up again, its heatmaps.

    Of the persons shown the one of whom most keypoints are found; without `crops` its true heatmaps stand for it.
    """
    split, hourglass = portraits.split, reader.network.hourglass(0)
    said = reader.heatmaps(split)
    places = cells(torch.from_numpy(np.array(split.keypoints))[..., :2], portraits.side, said.shape[-1])
    near = (peaks(torch.from_numpy(said))[0] - places).float().norm(dim=-1).numpy() <= NEAR
    best = int((near & (split.visibility > 0)).sum(1).argmax())
    maps, rising = said[best], []
    hooks = [one.register_forward_hook(lambda _, __, made: rising.append(made)) for one in hourglass.decoder]
    crop = torch.from_numpy(split.crops[best : best + 1]).to(reader.device).permute(0, 3, 1, 2) / 255
    latents, branches = hourglass.encode(reader.network.stem(crop - reader.mean_rgb.view(1, 3, 1, 1)))
    features = hourglass.decode(latents, branches)
    for hook in hooks:
        hook.remove()
    levels = [one[0].abs().mean(0).cpu().numpy() for one in (*branches, latents, *rising, features)]

    middle = len(branches)  # where the latents stand
    heights = [0.72 ** min(n, 2 * middle - n) for n in range(len(levels))]
    lefts = 1.12 + np.concatenate([[0], np.cumsum(np.array(heights[:-1]) + 0.06)])
    end = lefts[-1] + heights[-1] + 0.12
    with style():
        figure, ax = plt.subplots(figsize=(10, 10 * 1.3 / (end + 1)))
        seen = split.picture(best) if crops else portraits.ink(portraits.maps(best))
        ax.imshow(seen, extent=(0, 1, -0.5, 0.5), interpolation="antialiased")
        for level, height, left in zip(levels, heights, lefts, strict=True):
            box = (left, left + height, -height / 2, height / 2)
            ax.imshow(level, extent=box, cmap="magma", interpolation="nearest")
        for n in range(middle):
            ends = [lefts[n] + heights[n] / 2, lefts[2 * middle - n] + heights[n] / 2]
            top = heights[n] / 2 + 0.01
            ax.plot([ends[0], *ends, ends[1]], [top, *[top + 0.05] * 2, top], color=GREY, linewidth=0.8)
        ax.imshow(over(seen, maps) if crops else portraits.ink(maps), extent=(end, end + 1, -0.5, 0.5))
        at = middles(maps)
        bones = [np.stack([end + at[list(pair), 0], 0.5 - at[list(pair), 1]], 1) for pair in portraits.schema.skeleton]
        for colour, width in (("black", 2.2), ("white", 1.0)) if crops else ((GREY, 1.0),):
            ax.add_collection(LineCollection(bones, colors=colour, linewidths=width))
        waist = lefts[middle] + heights[middle] / 2
        for x, words in ((0.5, who), (waist, "the waist"), (end + 0.5, "heatmaps and pose")):
            ax.text(x, -0.62, words, ha="center", va="center", fontsize=11, color=INK)
        ax.set(xlim=(0, end + 1), ylim=(-0.7, 0.6))
        ax.axis("off")
    channels, side = latents.shape[1], latents.shape[-1]
    caption = (
        f"The network opened, on {who}: what each of its levels makes of the picture (mean of all maps), down to the "
        f"waist of {channels} × {side} × {side} numbers and up again; the lines are skip-connections. Right: its "
        "heatmaps, and the bones between their peaks."
    )
    found = int((near & (split.visibility > 0))[best].sum())
    alt = (
        f"{capital(who)}, {len(levels)} pictures of it that shrink to {side} by {side} cells and grow again, "
        f"and heatmaps at whose peaks {found} of {int(split.labelled[best])} labelled keypoints lie."
    )
    return Plate(figure, portraits.credited(caption, [best]), alt)


def pose_example(split: Split, credits: Mapping[int, str], who: str) -> Plate:
    """fig-pose-example: one person, and the same person with its joints and limbs named."""
    # most labelled keypoints first, of these the most visible, of these the largest in its image
    clearest = sorted(
        split.persons, key=lambda p: (-p.labelled, -(p.keypoints[:, 2] == 2).sum(), -max(p.box[2:]), p.id)
    )
    person, image = next(opened(clearest))
    crop = square(person, size=SIZE, margin=0.1, rule="shift")
    pixels, points = crop.apply(image), keypoints_in(person, crop)
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.4))
        for ax in axes:
            picture(ax, pixels)
        skeleton(axes[1], points, split.schema, width=2.6)
        _names(axes[1], points, split.schema)
        axes[1].set(xlim=axes[0].get_xlim(), ylim=axes[0].get_ylim())  # lines to the names don't make it smaller
        sides_legend(figure)
    labelled = int((points[:, 2] > 0).sum())
    caption = (
        f"{who}, and its 2D articulated pose: named joints, joined by limbs. Left and right are the person's own. "
        f"{labelled} of {len(split.schema)} keypoints are labelled."
    )
    alt = f"Left a person; right the same person with a skeleton of {labelled} named points over the body."
    return Plate(figure, credited(caption, credits, [person.image_id]), alt)


def _names(ax: Axes, points: np.ndarray, schema: KeypointSchema) -> None:
    """The joints' names beside the person, one column at each side, a thin line to each joint."""
    shown = np.flatnonzero(points[:, 2] > 0)
    middle = points[shown, 0].mean()
    for left in (True, False):
        column = [i for i in shown if (points[i, 0] <= middle) == left]
        column.sort(key=lambda i: points[i, 1])
        for i, y in zip(column, _spread(points[column, 1]), strict=True):
            x = -0.04 * SIZE if left else 1.04 * SIZE
            ax.plot([x, points[i, 0]], [y, points[i, 1]], color=INK, linewidth=0.5, clip_on=False)
            words = schema.titles[i]
            ax.text(x, y, f"{words} " if left else f" {words}", ha="right" if left else "left", va="center", fontsize=8)


def _spread(heights: np.ndarray) -> np.ndarray:
    """Ascending heights moved apart, so that names don't overlap, and kept within the picture."""
    gap, out = 0.058 * SIZE, np.array(heights, dtype=float)
    for i in range(1, len(out)):
        out[i] = max(out[i], out[i - 1] + gap)
    return out - max(0.0, out[-1] - SIZE) if len(out) else out


@dataclass(frozen=True)
class Answer:
    """Heatmaps (n, K, h, w) by one setting of the switches, and the share of the labelled keypoints that they find."""

    name: str
    heatmaps: np.ndarray
    pck: float


def answers(exhibit: Exhibit, portraits: Portraits, pck: PckConfig) -> list[Answer]:
    """As the network was trained, without its skip-connections, and with the first component only."""
    settings: dict[str, Callable[[], np.ndarray]] = {
        "as it was trained": exhibit.heatmaps,
        "all skips off": partial(exhibit.heatmaps, skips=False),
    }
    if exhibit.basis is not None:
        settings["first component only"] = partial(exhibit.heatmaps, keep=1)
    keypoints = torch.from_numpy(np.array(portraits.split.keypoints))
    made = []
    for name, answer in settings.items():
        maps = answer()
        hits = hits_of(torch.from_numpy(maps), keypoints[..., :2], portraits.side, pck)
        made.append(Answer(name, maps, float(hits[portraits.split.visibility > 0].mean())))
    return made


def pictures(made: Sequence[Answer], portraits: Portraits, credits: Mapping[int, str], *, crops: bool) -> Plate:
    """fig-try-it: a row for each setting, a column for each of the first persons; without `crops` ink on paper."""
    persons = range(min(SHOWN, len(portraits.split)))
    with style():
        figure, axes = grid(len(made) * len(persons), len(persons), cell=1.5)
        for ax, (answer, i) in zip(axes, [(answer, i) for answer in made for i in persons], strict=True):
            maps = answer.heatmaps[i]
            if crops:
                picture(ax, over(portraits.split.picture(i), maps))
                _bones(ax, maps, portraits)
            else:
                portraits.said(ax, maps)
            if i == 0:
                ax.set_ylabel(answer.name, fontsize=8)
    told = ", ".join(f"{percent(answer.pck)} {answer.name}" for answer in made)
    caption = (
        "What the trained hourglass answers for test persons, whom it has never seen: heatmaps, each scaled to its own "
        "peak, and the bones between their maxima, under different settings of the switches."
    )
    alt = f"Of the labelled keypoints of {len(portraits.split)} test persons the network finds {told}."
    shown = [portraits.split.image_ids[i] for i in persons]
    return Plate(figure, credited(caption, credits, shown) if crops else caption, alt)


def _bones(ax: plt.Axes, maps: np.ndarray, portraits: Portraits) -> None:
    """Thin bones between the maxima, in pixels of the crop."""
    points = middles(maps) * portraits.side - 0.5
    segments = [points[list(pair)] for pair in portraits.schema.skeleton]
    for colour, width in (("black", 1.8), ("white", 0.8)):
        ax.add_collection(LineCollection(segments, colors=colour, linewidths=width))


def part(
    exhibit: Exhibit, portraits: Portraits, pck: PckConfig, credits: Mapping[int, str], *, crops: bool
) -> Live | Note:
    """The part that runs the network in the page; a sentence instead where the network can't be exported.

    `portraits`: of the exhibit's persons; without `crops` the page carries none of them.
    """
    try:
        exported, digest = exhibit.write(crops)
    except InputError as error:
        return Note(f"The network isn't in this page. {error}")
    run, card, size = exhibit.weights.run, exhibit.weights.card, portraits.side // 4
    assert run is not None  # of an experiment, and no file of its own
    data = {
        "run": run.id,
        "digest": digest,
        "side": card.side,
        "levels": [size // 2**level for level in range(card.model.depth)],  # of the map that each skip carries
        "components": exported.components,
        "shares": [round(float(share), 4) for share in np.cumsum(exhibit.ratio)],
        "joints": [
            {"name": name, "side": side} for name, side in zip(card.schema.titles, card.schema.sides, strict=True)
        ],
        "bones": [list(pair) for pair in card.skeleton],
        "looks": {side: look["color"] for side, look in SIDES.items()},
        "fire": [[round(255 * c) for c in colour[:3]] for colour in plt.get_cmap("inferno")(np.linspace(0, 1, STEPS))],
        "reach": pck.radius * pck.normaliser * size,  # cells within which a keypoint counts as found
        "persons": persons(portraits, credits) if crops else [],
    }
    return Live(LABEL, "network", data)


def persons(portraits: Portraits, credits: Mapping[int, str]) -> list[dict]:
    """Name, facts and annotation of each person: `true` is (x, y, v) for each keypoint, in cells of the map."""
    keypoints = torch.from_numpy(np.array(portraits.split.keypoints))
    places = cells(keypoints[..., :2], portraits.side, portraits.side // 4)
    true = torch.cat([places, keypoints[..., 2:].long()], -1)
    return [
        {"name": title(portraits, i), "facts": facts(portraits, i, credits), "true": true[i].tolist()}
        for i in range(len(portraits.split))
    ]

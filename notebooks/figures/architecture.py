"""Networks drawn from the live module: every size is traced, so a drawing can't drift from the code."""

from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from torch import nn

from figures.page import Plate, Table, capital, percent
from hgnb.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, SKY, style
from hgnb.model import cost
from hgnb.model.hourglass import Autoencoder, Residual, StackedHourglass, build
from hgnb.training import networks

COLOURS = {
    "convolution": ORANGE, "residual": SKY, "pooling": "#CFCFCF", "upsampling": "#CFCFCF", "skip": GREEN,
    "autoencoder": PURPLE, "linear": RED, "heatmaps": BLUE,
}  # fmt: skip

# Convolutions that are part of no residual.
OUTER = ("stem.0", "heads.0.features.1", "heads.0.heatmaps")


@dataclass(frozen=True)
class Step:
    """One module of a traced forward pass; shapes without the batch axis."""

    name: str
    kind: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    parameters: int


def trace(network: nn.Module, shape: tuple[int, ...], kinds: dict[str, str]) -> list[Step]:
    """Runs one input of `shape` through and notes the modules named in `kinds`, in order of execution."""
    steps, hooks = [], []
    modules = dict(network.named_modules())
    for name, kind in kinds.items():
        count = sum(p.numel() for p in modules[name].parameters())

        def note(_, inputs, output, name=name, kind=kind, count=count):
            steps.append(Step(name, kind, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]), count))

        hooks.append(modules[name].register_forward_hook(note))
    device = next(network.parameters()).device
    with torch.inference_mode():
        network.eval()(torch.zeros(1, *shape, device=device))
    for hook in hooks:
        hook.remove()
    return steps


def hourglass_steps(network: StackedHourglass, side: int) -> list[Step]:
    """The modules of the first hourglass with its stem and head."""
    kinds = {}
    for name, module in network.named_modules():
        if name.startswith(("hourglasses.", "heads.")) and name.split(".")[1] != "0":
            continue
        if name.startswith("hourglasses.0.skips."):
            if name.count(".") == 3:  # a skip is drawn once, however many residuals it has
                kinds[name] = "skip"
        elif isinstance(module, Residual):
            kinds[name] = "residual"
        elif isinstance(module, Autoencoder):
            kinds[name] = "autoencoder"
        elif isinstance(module, nn.MaxPool2d):
            kinds[name] = "pooling"
        elif isinstance(module, nn.Conv2d) and name in OUTER:
            kinds[name] = "heatmaps" if name.endswith("heatmaps") else "convolution"
    return trace(network, (3, side, side), kinds)


def hourglass(network: StackedHourglass, side: int, title: str = "The network") -> Plate:
    """The full network with the output size of every module (thesis figures 11 and 23)."""
    first, steps = network.hourglasses[0], hourglass_steps(network, side)
    main = _with_resampling([s for s in steps if s.kind != "skip"])
    skips = [s for s in steps if s.kind == "skip"]
    with style():
        figure, ax = plt.subplots(figsize=(8.4, 4.8))
        centres = _chain(ax, main)
        for skip in skips:
            _arc(ax, skip, main, centres)
        _kinds(ax, list(dict.fromkeys(s.kind for s in [*main, *skips])))
    parameters = sum(p.numel() for p in network.parameters())
    latent = next(s for s in reversed(main) if s.name.startswith("hourglasses.0.bottleneck")).after
    out = main[-1].after
    caption = (
        f"{title}, drawn from the live module: {parameters:,} parameters, {len(skips)} skip-connections. Below each "
        f"box stands its output, channels × height × width; the last residual of the bottleneck puts out the latents, "
        f"{sized(latent)}."
    )
    alt = (
        f"A chain of boxes shrinks from {sized(main[0].after)} to {sized(latent)} in the middle and grows back to "
        f"{out[0]} heatmaps of {out[1]} × {out[2]}; "
        f"{'arcs carry' if skips else 'no arc carries'} each resolution past the middle."
    )
    if any(s.kind == "autoencoder" for s in main):
        code = first.autoencoder.config.code
        caption += f" Behind it the autoencoder presses them through {code} numbers."
    return Plate(figure, caption, alt)


def autoencoder(module: Autoencoder) -> Plate:
    """The autoencoder, layer by layer (thesis figure 22)."""
    kinds = {
        name: "convolution" if isinstance(layer, nn.Conv2d) else "linear"
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    steps = trace(module, module.shape, kinds)
    with style():
        figure, ax = plt.subplots(figsize=(8, 2.4))
        _chain(ax, [Step("input", "input", module.shape, module.shape, 0), *steps])
        ax.set_ylim(top=0.6)  # no arc stands above
        _kinds(ax, list(dict.fromkeys(s.kind for s in steps)))
    flat, parameters = int(np.prod(module.shape)), sum(s.parameters for s in steps)
    code = module.config.code
    caption = (
        f"The autoencoder, drawn from the live module: {parameters:,} parameters press {sized(module.shape)} = "
        f"{flat:,} latents into a code of {code} and unfold it again. "
        "A ReLU follows every layer but the last of each half, so that neither code nor output is rectified."
    )
    alt = f"Boxes shrink from {sized(module.shape)} to {code} and grow back symmetrically."
    return Plate(figure, caption, alt)


ROWS = {
    "stem": "stem", "down": "way down", "skips": "skip-connections", "bottleneck": "bottleneck",
    "autoencoder": "autoencoder", "up": "way up", "head": "head", "merges": "between hourglasses", "network": "network",
}  # fmt: skip


def cost_table(network: StackedHourglass, side: int, name: str) -> Table:
    """Parameters and operations by part, beside those of the thesis's network where this is another one."""
    thesis = networks.HOURGLASS.described
    counts = {"": cost.costs(network, side)}
    if network.config != replace(thesis, keypoints=network.config.keypoints):
        counts["Thesis's size: "] = cost.costs(build(thesis, 256), 256)
    columns = {}
    for who, parts in counts.items():
        rows = {ROWS[p.part]: p for p in parts}
        rows["whole network"] = cost.Cost("", sum(p.parameters for p in parts), sum(p.macs for p in parts))
        total = rows["whole network"].gflop
        columns[who + "parameters"] = {row: f"{p.parameters:,}" for row, p in rows.items()}
        columns[who + "GFLOP"] = {row: f"{p.gflop:.3g}" for row, p in rows.items()}
        columns[who + "share"] = {row: percent(p.gflop / total, 1) for row, p in rows.items()}
    order = [row for row in [*ROWS.values(), "whole network"] if any(row in c for c in columns.values())]
    table = pd.DataFrame(columns).reindex(order).fillna("–").rename_axis("part").reset_index()
    return Table(
        table.rename(columns=capital),
        _cost_caption(network, side, name, counts[""]),
        "tbl-cost",
    )


def _cost_caption(network: StackedHourglass, side: int, name: str, parts: list[cost.Cost]) -> str:
    """What the table counts, and where most of it lies."""
    total = sum(p.macs for p in parts)
    most = max(parts, key=lambda p: p.macs)
    narrow = next((p for p in parts if p.part == "bottleneck"), None)  # somebody's own network is one part
    whole = f"The largest share falls to the {ROWS[most.part]}, {percent(most.macs / total)}" if narrow else ""
    if narrow:
        weights = narrow.parameters / sum(p.parameters for p in parts)
        whole += (
            f"; the bottleneck holds {percent(weights)} of the parameters and takes "
            f"{percent(narrow.macs / total, 1)} of the operations. "
        )
    kept = cost.kept_bytes(network, side) / 2**20
    return (
        f"Parameters, and floating-point operations of one crop of {side} × {side} pixels forward (two for each "
        f"multiply-accumulate of a convolution or linear layer; a training step takes about three times as many), of "
        f"the network of profile `{name}`. {whole}Training keeps {kept:.0f} MiB of maps for each crop."
    )


def _with_resampling(steps: list[Step]) -> list[Step]:
    """Puts in what has no module of its own: the poolings and upsamplings between two sizes."""
    chain: list[Step] = []
    for step in steps:
        last = chain[-1].after if chain else step.before
        while last[1:] != step.before[1:]:
            kind = "pooling" if last[1] > step.before[1] else "upsampling"
            scale = 0.5 if kind == "pooling" else 2
            after = (last[0], int(last[1] * scale), int(last[2] * scale))
            chain.append(Step(kind, kind, last, after, 0))
            last = after
        chain.append(step)
    return chain


def _chain(ax: Axes, steps: list[Step]) -> list[float]:
    """Boxes from left to right, as tall as their map is wide or, where no map changes, their size; their centres."""
    resampled = len({s.after[-1] for s in steps if len(s.after) == 3}) > 1
    sizes = np.array([np.sqrt(s.after[-1]) if resampled else _log_size(s.after) for s in steps])
    ax.plot([0, len(steps) - 1], [0, 0], color=GREY, linewidth=1, zorder=0)
    for x, (step, height) in enumerate(zip(steps, sizes / sizes.max(), strict=True)):
        face = COLOURS.get(step.kind, "white")
        narrow = 0.36 if step.kind in ("pooling", "upsampling") else 0.62
        box = FancyBboxPatch(
            (x - narrow / 2, -height / 2), narrow, height, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=face, edgecolor=INK, linewidth=0.7, mutation_aspect=0.5,
        )  # fmt: skip
        ax.add_patch(box)
        ax.text(x, -0.58, sized(step.after), rotation=90, ha="center", va="top", fontsize=8.5)
    ax.set(xlim=(-0.7, len(steps) - 0.3), ylim=(-1.02, 1.5))
    ax.axis("off")
    return list(range(len(steps)))


def _arc(ax: Axes, skip: Step, main: list[Step], centres: list[float]) -> None:
    """A skip-connection: from the last box of its size on the way down to the first on the way up."""
    at = [i for i, s in enumerate(main) if s.after == skip.after]
    bottom = min(range(len(main)), key=lambda i: (_log_size(main[i].after), i))
    start, end = max(i for i in at if i < bottom), min(i for i in at if i > bottom)
    height = 0.62 + 0.85 * (end - start) / len(main)
    xs = np.array([centres[start], centres[start], centres[end], centres[end]])
    ax.plot(xs, [0, height, height, 0], color=GREEN, linewidth=1.1, zorder=0)
    middle = (xs[0] + xs[-1]) / 2
    ax.text(
        middle, height, f"residual {sized(skip.after)}", ha="center", va="center", fontsize=8,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": GREEN, "linewidth": 0.8},
    )  # fmt: skip


def _kinds(ax: Axes, kinds: list[str]) -> None:
    """A legend of the boxes' colours, for the kinds that are drawn."""
    names = {"pooling": "pooling, upsampling"}
    shown = [k for k in kinds if k in COLOURS and k != "upsampling"]
    handles = [plt.Rectangle((0, 0), 1, 1, facecolor=COLOURS[k], edgecolor=INK, linewidth=0.6) for k in shown]
    ax.figure.legend(handles, [names.get(k, k) for k in shown], loc="outside lower center", ncol=7, fontsize=8.5)


def _log_size(shape: tuple[int, ...]) -> float:
    return float(np.log2(np.prod(shape)))


def sized(shape: tuple[int, ...]) -> str:
    """'256 × 4 × 4'."""
    return " × ".join(str(n) for n in shape)

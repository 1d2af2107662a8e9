"""The interactive parts of 03_interpretation: who lies where in the latent space, and a walk along a component."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from figures.maps import thinned
from figures.page import Live, Sprites, percent, square
from figures.portraits import Portraits, sharpened
from hgnb.analysis.components import Components, Walk
from hgnb.drawing.style import GREY

CELL = 96  # pixels of a picture
PICTURED = 600  # persons of the map that have pictures; the others are dots
CROP, TRUTH, PREDICTION = "crop", "true heatmaps", "predicted peaks"


def pictured(parts: Components, seed: int = 0, count: int = PICTURED, size: float = 0.062) -> np.ndarray:
    """Indices of the persons of a latent map that get pictures, the most important first.

    Those that `maps.latent_map` draws with the same seed and size come first, then others at random.
    """
    if len(parts) < 2:
        return np.zeros(0, dtype=int)
    plane = parts.scores(2)
    kept = thinned((plane - plane.min(0)) / np.ptp(plane, axis=0), size, size, seed)
    order = np.random.default_rng(seed).permutation(len(plane))
    return np.concatenate([kept, order[~np.isin(order, kept)]])[:count]


def person_map(
    parts: Components,
    chosen: np.ndarray,
    positions: np.ndarray,
    portraits: Portraits,
    predicted: np.ndarray | None = None,
    credits: Mapping[int, str] | None = None,
    of: str = "fig-latent-map",
) -> Live | None:
    """The latent map on which a point shows its person; None where there is no map.

    `chosen` (n,) as `pictured` gives them; positions (N,) in the split of the persons that `parts` were made of;
    predicted (n, K, h, w) heatmaps of the chosen; credits of photographs by image id.
    """
    if not len(chosen):
        return None
    plane, persons = parts.scores(2), positions[chosen]
    low, high = plane.min(0), plane.max(0)
    span = high - low
    unit = np.round((plane - low) / span, 4)
    others = np.setdiff1d(np.arange(len(plane)), chosen)
    kinds = {
        CROP: [portraits.split.picture(p) for p in persons],
        TRUTH: [portrait(portraits, p) for p in persons],
        PREDICTION: [] if predicted is None else [portrait(portraits, p, predicted[i]) for i, p in enumerate(persons)],
    }
    data = {
        "axes": [
            {"label": f"PC {i + 1} ({percent(parts.ratio[i])})", "low": float(low[i]), "high": float(high[i])}
            for i in range(2)
        ],
        "points": unit[chosen].tolist(),
        "dots": unit[others].tolist(),
        "names": [title(portraits, p) for p in persons],
        "facts": [facts(portraits, p, credits or {}) for p in persons],
        "stamp": 1,  # the sheet whose pictures stand on the map
        "noun": "person",
    }
    return Live(of, "scatter", data, tuple(Sprites.of(key, made, CELL) for key, made in kinds.items() if made))


def walks(
    paths: Sequence[Walk],
    steps: Sequence[float],
    portraits: Portraits,
    decoded: Mapping[str, np.ndarray] | None = None,
    credits: Mapping[int, str] | None = None,
    of: str = "fig-pc-walks",
) -> Live | None:
    """A slider along each component: the nearest person of every step; None where there is no component.

    paths: with a person for each of `steps`; decoded: heatmaps (len(paths), len(steps), K, h, w) by their name.
    """
    if not paths:
        return None
    names = (CROP, TRUTH, *(decoded or {}))
    drawn: dict[str, dict[bytes, np.ndarray]] = {name: {} for name in names}
    ways = []
    for row, path in enumerate(paths):
        met = []
        for column, person in enumerate(path.persons):
            own = [np.asarray(square(portraits.split.picture(person), CELL)), portrait(portraits, person)]
            own += [portrait(portraits, person, maps[row, column]) for maps in (decoded or {}).values()]
            same = column > 0 and person == path.persons[column - 1]
            told = facts(portraits, person, credits or {}) + (", the same as one step before" if same else "")
            cells = [_filed(drawn[key], picture) for key, picture in zip(names, own, strict=True)]
            met.append({"name": title(portraits, person), "facts": told, "cells": cells})
        ways.append({"name": f"PC {path.component}", "detail": f"{percent(path.ratio, 2)} of the variance", "met": met})
    sheets = [Sprites.of(key, list(pictures.values()), CELL) for key, pictures in drawn.items()]
    data = {"steps": [float(c) for c in steps], "ways": ways, "strip": len(sheets) - 1}
    return Live(of, "walk", data, tuple(sheets))


def _filed(sheet: dict[bytes, np.ndarray], picture: np.ndarray) -> int:
    """Where the picture lies in the sheet; one that is there already isn't put in again."""
    key = picture.tobytes()
    sheet.setdefault(key, picture)
    return list(sheet).index(key)


def portrait(portraits: Portraits, person: int, maps: np.ndarray | None = None) -> np.ndarray:
    """(CELL, CELL, 3) uint8: a person's true heatmaps with thin bones, or the peaks of a network's (K, h, w)."""
    ink = portraits.ink(portraits.maps(person) if maps is None else sharpened(maps))
    image = square(ink, 2 * CELL)  # bones are drawn at twice the size, which smooths them
    if maps is None:
        pen = ImageDraw.Draw(image)
        for bone in portraits.bones(person) * 2 * CELL:
            pen.line([tuple(end) for end in bone], fill=GREY, width=3)
    return np.asarray(image.resize((CELL, CELL), Image.Resampling.BOX))


def title(portraits: Portraits, person: int) -> str:
    """How the page calls a person of the split."""
    return f"Person {portraits.split.person_ids[person]}"


def facts(portraits: Portraits, person: int, credits: Mapping[int, str]) -> str:
    """What the annotation says of a person, and where the photograph is from; plain text."""
    split = portraits.split
    image = int(split.image_ids[person])
    source = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", credits[image]) if image in credits else f"image {image}"
    states = [state for state in (split.posture[person], split.motion[person]) if state]
    labelled = f"{split.labelled[person]} of {split.keypoints.shape[1]} keypoints labelled"
    return ", ".join([labelled, *map(str, states), source])

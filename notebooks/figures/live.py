"""Persons in the interactive parts of a page: their pictures, their names and what is told of them. 03, 00_try_it."""

import re
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from figures.page import square
from figures.portraits import Portraits, sharpened
from hgnb.drawing import GREY

CELL = 96  # pixels of a picture
CROP, TRUTH = "crop", "true heatmaps"


def met(portraits: Portraits, person: int, said: np.ndarray) -> tuple[dict[str, str], list[np.ndarray]]:
    """Who a person of the split is, in words, and three pictures: the crop, the truth, a network's maps (K, h, w)."""
    crop = np.asarray(square(portraits.split.picture(person), CELL))
    words = {"name": title(portraits, person), "facts": facts(portraits, person, portraits.credits)}
    return words, [crop, portrait(portraits, person), portrait(portraits, person, said)]


def filed(sheet: dict[bytes, np.ndarray], picture: np.ndarray) -> int:
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

"""Which keypoints a file's categories name, in the one spelling that the house knows: `left_hip`, `right_hip`.

RHip, L_Hip, left-hip, Left Hip, leftHip, hip_l and the like all mean the same. A skeleton is decoration: bones that
name no keypoint are left out. Explained in 01_dataset.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from hgnb.data.intake import Choices, is_id, plain, whole
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError

PARTS = re.compile(r"[^\W\d_]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
SIDES = (  # left and right, as a part of a name
    *(("left", "right"), ("l", "r"), ("lt", "rt"), ("links", "rechts"), ("linke", "rechte"), ("linker", "rechter")),
    *(("linkes", "rechtes"), ("gauche", "droite"), ("gauche", "droit"), ("izquierdo", "derecho")),
    *(("izquierda", "derecha"), ("esquerdo", "direito"), ("esquerda", "direita"), ("sinistro", "destro")),
    *(("sinistra", "destra"), ("左", "右")),
)
FINE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")  # a name as it shall be
PEOPLE = ("person", "people", "human", "pedestrian")
ADVICE = '"keypoints": ["nose", "left_eye", …] and "skeleton": [[1, 2], …]'


class Categories:
    """The keypoints of a file, and which of its categories' annotations have them."""

    def __init__(self, listed: list, file: str, choices: Choices, repaired: Counter[str]):
        entries = [c for c in listed if isinstance(c, dict) and isinstance(c.get("id"), str | int | float)]
        self.known = {key for c in entries for key in _keys(c["id"])}
        chosen = _chosen([c for c in entries if c.get("keypoints")], entries, file, choices, repaired)
        self.id = next((i for c in chosen if (i := whole(c["id"])) is not None), 1)
        self.accepted = {key for c in chosen for key in _keys(c["id"])}
        self.others = {key for c in entries if c.get("keypoints") for key in _keys(c["id"])} - self.accepted
        self.only = len(entries) == 1
        try:
            self.schema = _schema(chosen[0], choices, repaired)
        except InputError as error:
            raise InputError(f"'{file}': {error}") from error


def _keys(value: object) -> set:
    """How annotations may name an id: as it is listed, as the number it means, or as text."""
    number = whole(value)
    return {value, str(value)} if number is None else {value, number, str(number)}


def _chosen(
    with_keypoints: list[dict], entries: list[dict], file: str, choices: Choices, repaired: Counter[str]
) -> list[dict]:
    """The categories that are read: all of one list of keypoints."""
    names = [plain(c.get("name", c["id"])) for c in with_keypoints]
    if choices.category:
        by_name = {plain(c.get("name", c["id"])): c for c in with_keypoints}
        if choices.category not in by_name:
            raise InputError(f"'{file}' has no category '{choices.category}' with keypoints, but {_list(names)}.")
        return [by_name[choices.category]]
    if not with_keypoints:
        there = _list([plain(c.get("name", c["id"])) for c in entries])
        raise InputError(
            f"'{file}' must have one category with keypoints, not 0 (it has {there}): add {ADVICE} to the category "
            "of persons, as COCO has them."
        )
    if len({str(c["keypoints"]) for c in with_keypoints}) == 1:
        if len(names) > 1:
            repaired["categories of the same keypoints, read as one"] += len(names)
        return with_keypoints
    people = [c for c in with_keypoints if plain(c.get("name")).lower() in PEOPLE]
    if len(people) == 1:
        return people
    raise InputError(
        f"'{file}' must have one category with keypoints, not {len(with_keypoints)}: choose of {_list(names)} by "
        "'hgnb data check DIR --category NAME --write CLEAN' and use CLEAN."
    )


def _list(names: Iterable[str], most: int = 6) -> str:
    names = [f"'{name}'" for name in names]
    return ", ".join(names[:most]) + (" and more" if len(names) > most else "") if names else "none"


def _schema(category: dict, choices: Choices, repaired: Counter[str]) -> KeypointSchema:
    listed = category["keypoints"]
    if not isinstance(listed, list) or not all(isinstance(n, str | int) for n in listed):
        return KeypointSchema.from_category(category)  # which says what is wrong
    names = _distinct([str(name).strip() for name in listed], repaired)
    made = spelled(names, _told(category, names, choices))
    if made != listed:
        repaired["keypoints named in the one spelling: left_hip, right_hip"] += 1
    bones = _bones(category.get("skeleton"), names, repaired)
    return KeypointSchema.from_category({"id": category["id"], "keypoints": made, "skeleton": bones})


def _distinct(names: list[str], repaired: Counter[str]) -> list[str]:
    """A number behind names that occur more than once, or say nothing."""
    if len(set(names)) == len(names) and all(names):
        return names
    repaired["names of keypoints that occur twice or are empty, numbered"] += 1
    numbered = (f"{n or 'point'}_{k}" if not n or names.count(n) > 1 else n for k, n in enumerate(names, 1))
    return [n if list(names).count(n) <= 1 else f"{n}_{k}" for k, n in enumerate(numbered, 1)]


def _told(category: dict, names: list[str], choices: Choices) -> list[tuple[int, int]]:
    """(left, right) positions that a person or the category tells: `--pairs`, `flip_pairs`, or YOLO's `flip_idx`."""
    if choices.pairs:
        forms = [name.lower() for name in names], spelled(names)

        def place(name: str) -> int:
            for form, wanted in zip(forms, (name.lower(), name), strict=True):
                if wanted in form:
                    return form.index(wanted)
            raise InputError(f"There is no keypoint '{plain(name)}' to pair: the names are {_list(names, 40)}.")

        return [(place(left), place(right)) for left, right in choices.pairs]
    flips = category.get("flip_idx")
    if isinstance(flips, list) and sorted(map(str, flips)) == sorted(map(str, range(len(names)))):
        return [(a, int(b)) for a, b in enumerate(flips) if a < int(b) and int(flips[int(b)]) == a]
    pairs = category.get("flip_pairs")
    if isinstance(pairs, list) and all(isinstance(p, list) and len(p) == 2 for p in pairs):
        places = [[names.index(n) if n in names else n for n in pair] for pair in pairs]
        return [(a, b) for a, b in places if is_id(a) and is_id(b) and 0 <= a < len(names) and 0 <= b < len(names)]
    return []


def spelled(names: Sequence[str], told: Sequence[tuple[int, int]] = ()) -> list[str]:
    """The same names with sides as `left_…` and `right_…`, words in lower case; where two would be one, as they were.

    `told`: (left, right) positions known otherwise. What such a pair's names have in common stays their name.
    """
    parts = [tuple(p.lower() for p in PARTS.findall(name)) for name in names]
    plainly = [
        n if FINE.fullmatch(n) or not (n.isascii() and p) else "_".join(p) for n, p in zip(names, parts, strict=True)
    ]
    made = _glued([_sided(p, set(parts)) or name for name, p in zip(plainly, parts, strict=True)])
    for left, right in told:
        if made[left].split("_", 1) != ["left", made[right].removeprefix("right_")]:
            both, differing = [p for p in parts[left] if p in parts[right]], set(parts[left]) ^ set(parts[right])
            alike = both and not all(p.isdigit() for p in differing)
            words = "_".join(both) if alike else f"{made[left]}_{made[right]}"
            made[left], made[right] = f"left_{words}", f"right_{words}"
    return made if len(set(made)) == len(made) else list(names)


def _sided(parts: tuple[str, ...], there: set[tuple[str, ...]]) -> str:
    """The name with its side in front, or ''; a side that isn't in plain English counts where the other is there."""
    for pair in SIDES:
        for side, mine, other in zip(("left", "right"), pair, pair[::-1], strict=True):
            if mine in parts and len(parts) > 1:
                at = parts.index(mine)
                if mine == side or (*parts[:at], other, *parts[at + 1 :]) in there:
                    return f"{side}_{'_'.join(parts[:at] + parts[at + 1 :])}"
    return ""


def _glued(names: list[str]) -> list[str]:
    """Sides without a seam: lhip and rhip, lefthip and righthip; only where both are there."""
    made = list(names)
    for left, right in (("left", "right"), ("l", "r"), ("左", "右")):
        for at, name in enumerate(names):
            rest = name.removeprefix(left)
            if name.startswith(left) and rest.strip("_") and right + rest in names:
                twin = names.index(right + rest)
                if made[at] == name and made[twin] == names[twin]:
                    made[at], made[twin] = f"left_{rest.strip('_')}", f"right_{rest.strip('_')}"
    return made


def _bones(skeleton: object, names: list[str], repaired: Counter[str]) -> list[list[int]]:
    """The bones that join two of the keypoints, counted from 1."""
    if not isinstance(skeleton, list):
        if skeleton:
            repaired["skeleton that is no list, left out"] += 1
        return []
    lower = [name.lower() for name in names]

    def place(end: object) -> int | None:
        if isinstance(end, str) and end.strip().lower() in lower:
            return lower.index(end.strip().lower()) + 1
        return whole(end)

    pairs = [[place(end) for end in bone] if isinstance(bone, list) else [] for bone in skeleton]
    flat = [end for bone in pairs for end in bone]
    if 0 in flat and len(names) not in flat:
        repaired["skeleton that counts from 0, counted from 1"] += 1
        pairs = [[None if end is None else end + 1 for end in bone] for bone in pairs]
    ends = [[end for end in bone if end is not None and 1 <= end <= len(names)] for bone in pairs]
    sound = [bone for bone, whole_bone in zip(ends, pairs, strict=True) if len(bone) == len(whole_bone) == 2]
    if len(sound) < len(pairs):
        repaired["bones that name no keypoint, left out"] += len(pairs) - len(sound)
    if any(isinstance(end, str) for bone in skeleton if isinstance(bone, list) for end in bone):
        repaired["bones given by names, counted from 1"] += len(sound)
    return sound

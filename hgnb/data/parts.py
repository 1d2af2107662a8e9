"""A folder with one split, divided by photograph into training, validation and test. Explained in 01_dataset.

COCO's val2017 alone has nothing called train. Which part a photograph is in is decided by its id and nothing else, so
that more photographs never move one from one part to another.
"""

import hashlib
import json
from pathlib import Path

from hgnb.errors import InputError
from hgnb.home import home

TRAIN, VAL, TEST = "train", "val", "test"
FIELD = "part"  # of an image's record, where a file says itself which photographs are the test's


def by_rule(image_id: int) -> str:
    """About 80, 8 and 12 of 100 photographs: SHA-256 of the id's digits, its first four bytes modulo 100."""
    at = int.from_bytes(hashlib.sha256(str(image_id).encode()).digest()[:4], "big") % 100
    return TRAIN if at < 80 else VAL if at < 88 else TEST


def of(image_ids: set[int], dataset: str) -> dict[int, str]:
    """The part of every photograph of the folder called `dataset`: by the committed list that fits, else by the rule.

    A list, `data/splits/<name>.json`, holds the ids of photographs by part under `images`. It fits where the data have
    all of them; photographs that it doesn't name go by the rule. InputError where the dataset's own name is that of a
    list that doesn't fit.
    """
    divided = {number: by_rule(number) for number in image_ids}
    for file in sorted((home() / "data" / "splits").glob("*.json"), key=lambda file: file.stem != dataset):
        listed = _listed(file)
        strangers = listed.keys() - image_ids
        if strangers and file.stem == dataset:
            raise InputError(
                f"'data/splits/{file.name}' names {len(strangers)} photographs that '{dataset}' doesn't have, such as "
                f"{min(strangers)}: add them, or give the folder another name to divide it by rule."
            )
        if listed and not strangers:
            return divided | listed
    return divided


def _listed(file: Path) -> dict[int, str]:
    """The part of each photograph that a list names; empty where the file lists none, but persons of a draw."""
    try:
        images = json.loads(file.read_bytes()).get("images", {})
        return {int(number): part for part in (TRAIN, VAL, TEST) for number in images.get(part, ())}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"'data/splits/{file.name}' lists no photographs by id ({error}): mend or delete it."
        ) from error

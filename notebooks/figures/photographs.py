"""The photographs that a figure shows: opened where their licences allow it, and credited. Figures of 01_dataset."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from PIL import Image

from hgnb.data.coco import Person
from hgnb.data.credits import withheld
from hgnb.data.images import DamagedImage, decode


def opened(persons: Iterable[Person]) -> Iterator[tuple[Person, Image.Image]]:
    """Each person with the RGB image it is on, as long as they are asked for.

    Passed over are damaged images, and photographs that may not be cropped and drawn on.
    """
    for person in persons:
        if withheld(person.licence):
            continue
        with suppress(DamagedImage):
            yield person, decode(person.file, person.image_size).rgb


def credited(caption: str, credits: Mapping[int, str], image_ids: Iterable[int]) -> str:
    """A caption with the credits of the images whose ids these are, each once; as it is where none is known."""
    known = [credits[number] for number in dict.fromkeys(map(int, image_ids)) if number in credits]
    if not known:
        return caption
    return f"{caption} {'Photograph' if len(known) == 1 else 'Photographs'}: {'; '.join(known)}."

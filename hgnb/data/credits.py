"""Where the photographs of a dataset come from, and under which licences: written beside them, read for captions."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from hgnb.data.intake import plain
from hgnb.errors import InputError

ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w./~%?=&#+@:,-]*)?")
MARKUP = re.compile(r"[\\`*_{}\[\]<>()#!|$&~^:@]")  # what Markdown or MyST could take for more than a letter
FORBIDS = re.compile(r"no[ -]?deriv|\bnd\b", re.IGNORECASE)  # as COCO spells it, as others do, and "BY-ND"
CREDITS = ("ATTRIBUTION.json", "ATTRIBUTION.md")
NO_AUTHORS = (
    "All photographs are from COCO 2017's val2017, also those in train2017 here. COCO names no photographers: "
    "flickr_url is the photograph as its author published it. What the book shows of them is cropped and resized."
)


def write(folder: Path, licences: list[dict], parts: dict[str, list[dict]]) -> None:
    """ATTRIBUTION.json for the book, ATTRIBUTION.md for people; `parts` are the images of each split."""
    by_id = {row["id"]: row for row in licences}
    rows = [
        {
            "id": image["id"],
            "file": f"{split}/{image['file_name']}",
            "flickr_url": image.get("flickr_url", ""),
            "coco_url": image.get("coco_url", ""),
            "licence": by_id[image["license"]]["name"],
            "licence_url": by_id[image["license"]]["url"],
        }
        for split, images in sorted(parts.items())
        for image in images
    ]
    content = json.dumps({"note": NO_AUTHORS, "images": rows})
    (folder / CREDITS[0]).write_text(content, encoding="utf8")
    table = ["| file | licence | photograph | COCO |", "| --- | --- | --- | --- |"]
    table += [
        f"| {r['file']} | [{r['licence']}]({r['licence_url']}) | {r['flickr_url']} | {r['coco_url']} |" for r in rows
    ]
    (folder / CREDITS[1]).write_text("\n".join(["# Attribution", "", NO_AUTHORS, "", *table, ""]), encoding="utf8")


def withheld(licence: str) -> bool:
    """Whether a licence, by its name, forbids to show a photograph cropped or drawn on, which is a derivative."""
    return bool(FORBIDS.search(licence))


def photo_credits(folder: Path) -> dict[int, str]:
    """One line of credit, in Markdown, to print under a photograph, by the id of each image that may be shown.

    From ATTRIBUTION.json, else from the annotation files' own addresses and licences; empty where neither names any.
    """
    file = folder / CREDITS[0]
    if not file.is_file():
        return _credited(_annotated(folder))
    try:
        return _credited(json.loads(file.read_text(encoding="utf8"))["images"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"'{file}' holds no credits as 'hgnb data fetch' writes them: delete or mend it.") from error


def _credited(images: list[dict]) -> dict[int, str]:
    photographs = {image["id"]: _linked(f"COCO {image['id']}", image["flickr_url"]) for image in images}
    return {i["id"]: f"{photographs[i['id']]}, {_linked(i['licence'], i['licence_url'])}" for i in images}


def _annotated(folder: Path) -> list[dict]:
    """The images of the annotation files that have an address and a licence which allows derivatives."""
    rows = []
    for file in sorted((folder / "annotations").glob("person_keypoints_*.json")):
        content = json.loads(file.read_text(encoding="utf-8-sig"))
        licences = {row["id"]: row for row in content.get("licenses") or [] if isinstance(row, dict) and "id" in row}
        for image in (record for record in content["images"] if isinstance(record, dict)):
            licence = licences.get(image.get("license"))
            if licence and image.get("flickr_url") and not withheld(name := str(licence.get("name") or "")):
                rows.append({**image, "licence": name, "licence_url": licence.get("url", "")})
    return rows


def passed_on(image_ids: Iterable[int], known: dict[int, str]) -> bool:
    """Whether a page may carry the pixels of these images: each is credited, which names a licence that allows it."""
    return {int(number) for number in image_ids} <= set(known)


def _linked(words: object, url: object) -> str:
    """A Markdown link to a page of the web; what is no plain address stays away, and words are words."""
    shown = MARKUP.sub(r"\\\g<0>", plain(words, 80))
    return f"[{shown}]({url})" if isinstance(url, str) and ADDRESS.fullmatch(url) else shown

"""One file over HTTP, to its end: gone on with where a connection broke, checked before it gets its name.

An archive of COCO's has up to 19 GB, and pooch begins anew where a connection broke. Here it is gone on with by Range
(RFC 9110, sec. 14; If-Range, sec. 13.1.5), with patience for servers that fail for a while, in a `.part` beside the
file until it is whole.
"""

import time
from collections.abc import Callable
from pathlib import Path

import requests

from hgnb.errors import InputError

CHUNK = 1 << 16  # bytes: what a stalled connection costs at most
TIMEOUT = 30.0  # seconds without a byte
TRIES = 6  # attempts in a row that bring less than a chunk
PAUSE = 1.0  # seconds before the second attempt; doubled for each one after it
LONGEST = 60.0  # seconds, whatever the doubling or the server's Retry-After says
RETRIED = {408, 429, 500, 502, 503, 504}  # a server that may answer later; any other refusal is final
UNUSABLE = (  # an address that no patience makes right
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.TooManyRedirects,
)
Tick = Callable[[int, int | None], None]  # how much is done, and of how much


class _Broken(Exception):
    """An answer that can't be used now; asking again may help."""


def download(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    verify: Callable[[Path], str] = lambda path: "",
    tick: Tick = lambda have, total: None,
) -> None:
    """Gets `url` into `path`, which appears only once it is whole. InputError where that fails.

    `size` in bytes if known. `verify` returns what is wrong with the whole file, or ''; a wrong one is deleted.
    `tick(have, total)` hears of progress in bytes. What an interrupted call left in `.part` is gone on with.
    """
    part, note = (path.with_name(f"{path.name}.part{end}") for end in ("", ".from"))
    failures, furthest, whole = 0, _there(part), False
    while not whole:
        try:
            _go_on(url, part, note, size, tick)
            whole = True
        except UNUSABLE as error:
            raise InputError(f"'{url}' is no usable address ({error}): check the base address.") from error
        except (requests.RequestException, _Broken) as error:
            answer = error.response if isinstance(error, requests.HTTPError) else None
            if answer is not None and answer.status_code not in RETRIED:
                said = f"{answer.status_code} ({answer.reason})"
                raise InputError(f"{url} answers {said}: check the base address, or whether it has moved.") from error
            have = _there(part)
            failures, furthest = 0 if have - furthest >= CHUNK else failures + 1, max(furthest, have)
            if failures >= TRIES:
                raise InputError(
                    f"'{path.name}' can't be fetched from {url}: {_said(error, answer)}, {failures} times "
                    f"in a row; run the same command again later to go on after {have:,} bytes."
                ) from error
            asked = "" if answer is None else answer.headers.get("Retry-After", "")
            doubling = PAUSE * 2 ** max(failures - 1, 0)
            time.sleep(min(float(asked) if asked.isdigit() else doubling, LONGEST))
    if complaint := verify(part):
        part.unlink()
        note.unlink(missing_ok=True)
        raise InputError(f"{url} gave {complaint}, so it was deleted: run the same command again to fetch it anew.")
    part.replace(path)
    note.unlink(missing_ok=True)


def _go_on(url: str, part: Path, note: Path, size: int | None, tick: Tick) -> None:
    """Asks for what `part` lacks and adds it; raises where that isn't everything.

    The rest is asked for only where it is sure to be of the same file: by what marks this version of it, which `note`
    keeps with the address, or where size and check will tell.
    """
    have = _there(part)
    if have == size:
        return
    known, _, mark = note.read_text().partition("\n") if note.is_file() else ("", "", "")
    mark, headers = mark if known == url else "", {"Accept-Encoding": "identity"}  # bytes are counted
    sure = bool(mark) if size is None else have < size
    have = have if sure else 0
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": mark} if mark else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        part.touch()
        if answer.status_code == 416:  # nothing after what is there: not the same file
            part.unlink()
            raise _Broken("it has no more bytes than are here already")
        answer.raise_for_status()
        if answer.status_code == 206:
            first, total = _content_range(answer.headers.get("Content-Range", ""))
            if first != have:
                part.unlink()
                raise _Broken("it sent another part of the file than was asked for")
        else:
            length, have = answer.headers.get("Content-Length", ""), 0
            total = int(length) if length.isdigit() else None
        if size is not None and total not in (None, size):
            raise InputError(
                f"{url} is {total:,} bytes where {size:,} were expected: "
                "it isn't COCO's file, so check the base address and any proxy between."
            )
        total, etag = total or size, answer.headers.get("ETag", "")
        mark = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", "")
        note.write_text(f"{url}\n{mark}")
        with part.open("ab" if have else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                have += len(chunk)
                if total is not None and have > total:
                    raise _Broken(f"it sent more than {total:,} bytes")
                file.write(chunk)
                tick(have, total)
    if total is not None and have != total:
        raise _Broken(f"it sent {have:,} of {total:,} bytes")


def _there(file: Path) -> int:
    """Bytes of what there is of a file."""
    return file.stat().st_size if file.is_file() else 0


def _content_range(text: str) -> tuple[int | None, int | None]:
    """First byte and total of 'bytes 100-199/200'; None for what isn't said."""
    span, _, total = text.removeprefix("bytes ").partition("/")
    first = span.partition("-")[0]
    return int(first) if first.isdigit() else None, int(total) if total.isdigit() else None


def _said(error: Exception, answer: requests.Response | None) -> str:
    """What happened, in words."""
    if answer is not None:
        return f"the server answered {answer.status_code} ({answer.reason})"
    if isinstance(error, _Broken):
        return f"the server is inconsistent, {error}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"nothing came for {TIMEOUT:g} s"
    return "the connection failed"

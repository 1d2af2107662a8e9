"""One file over HTTP, to its end: gone on with where a connection broke, checked before it gets its name.

An archive of COCO's has up to 19 GB, and pooch begins anew where a connection broke. Here one whose size is known, and
so told by a check, is gone on with by Range (RFC 9110, sec. 14) from a `.part` beside the file, with patience for
servers that fail for a while.
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


def download(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    verify: Callable[[Path], str] = lambda path: "",
    tick: Tick = lambda have, total: None,
) -> None:
    """Gets `url` into `path`, which appears only once it is whole. InputError where that fails.

    `size` in bytes if known: what an interrupted call left in `.part` is gone on with then. `verify` returns what is
    wrong with the whole file, or ''; a wrong one is deleted. `tick(have, total)` hears of progress in bytes.
    """
    part = path.with_name(f"{path.name}.part")
    failures, furthest, whole = 0, _there(part), False
    while not whole:
        try:
            whole = _go_on(url, part, size, tick)
        except UNUSABLE as error:
            raise InputError(f"'{url}' is no usable address ({error}): check the base address.") from error
        except requests.RequestException as error:
            answer = error.response
            if answer is not None and answer.status_code not in RETRIED:
                said = f"{answer.status_code} ({answer.reason})"
                raise InputError(f"{url} answers {said}: check the base address, or whether it has moved.") from error
            have = _there(part)
            failures, furthest = 0 if have - furthest >= CHUNK else failures + 1, max(furthest, have)
            if failures >= TRIES:
                raise InputError(
                    f"'{path.name}' can't be fetched from {url}: {_said(error)}, {failures} times in a row; "
                    f"run the same command again later{f' to go on after {have:,} bytes' if size else ''}."
                ) from error
            asked = "" if answer is None else answer.headers.get("Retry-After", "")
            time.sleep(min(float(asked) if asked.isdigit() else PAUSE * 2 ** max(failures - 1, 0), LONGEST))
    if complaint := verify(part):
        part.unlink()
        raise InputError(f"{url} gave {complaint}, so it was deleted: run the same command again to fetch it anew.")
    part.replace(path)


def _go_on(url: str, part: Path, size: int | None, tick: Tick) -> bool:
    """Asks for what `part` lacks and adds it; whether that is everything."""
    have = _there(part) if size is not None else 0
    if have and have == size:
        return True
    # bytes are counted as they are stored
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # nothing after what is there: not the same file
            part.unlink()
            return False
        answer.raise_for_status()
        follows = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if answer.status_code == 206 and follows else 0
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else size
        if size is not None and total != size:
            raise InputError(
                f"{url} is {total:,} bytes where {size:,} were expected: "
                "it isn't COCO's file, so check the base address and any proxy between."
            )
        with part.open("ab" if have else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                have += file.write(chunk)
                tick(have, total)
    if total not in (None, have):
        raise requests.ConnectionError("it broke off")
    return True


def _there(file: Path) -> int:
    """Bytes of what there is of a file."""
    return file.stat().st_size if file.is_file() else 0


def _said(error: requests.RequestException) -> str:
    """What happened, in words."""
    if error.response is not None:
        return f"the server answered {error.response.status_code} ({error.response.reason})"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"nothing came for {TIMEOUT:g} s"
    return "the connection failed"

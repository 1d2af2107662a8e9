"""One file over HTTP, to its end: gone on with where a connection broke, checked before it gets its name.

pooch's HTTPDownloader asks and streams; what it lacks is here: going on by Range (RFC 9110, sec. 14; If-Range,
sec. 13.1.5), patience with servers that fail for a while, and a `.part` beside the file until it is whole.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from pooch import HTTPDownloader

from hgnb.errors import InputError

CHUNK = 1 << 16  # bytes: what a stalled connection costs at most
RETRIED = {408, 429, 500, 502, 503, 504}  # a server that may answer later; any other refusal is final
FINAL = (  # an address that no patience makes right
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.TooManyRedirects,
)


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for. Attempts that brought something don't count."""

    timeout: float = 30.0  # seconds without a byte
    tries: int = 6  # attempts in a row that bring less than a chunk
    pause: float = 1.0  # seconds before the second attempt; doubled for each one after it
    longest: float = 60.0  # seconds, whatever the doubling or the server's Retry-After says


class _Broken(Exception):
    """An answer that can't be used now; asking again may help."""


def download(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    verify: Callable[[Path], str] | None = None,
    patience: Patience | None = None,
    tick: Callable[[int, int | None], None] = lambda have, total: None,
) -> None:
    """Gets `url` into `path`, which appears only once it is whole. InputError where that fails.

    `size` in bytes if known. `verify` returns what is wrong with the whole file, or ''; a wrong one is deleted.
    `tick(have, total)` hears of progress in bytes. What an interrupted call left in `.part` is gone on with.
    """
    transfer, patience = _Transfer(url, path, size, tick), patience or Patience()
    failures = 0
    while not transfer.whole:
        before = transfer.furthest
        try:
            transfer.attempt(patience.timeout)
        except FINAL as error:
            raise InputError(f"'{url}' is no usable address ({error}): check the base address.") from error
        except (requests.RequestException, _Broken) as error:
            _stop_if_refused(error, url)
            failures = 0 if transfer.furthest - before >= CHUNK else failures + 1
            if failures >= patience.tries:
                raise InputError(
                    f"'{path.name}' can't be fetched from {url}: {_said(error, patience)}, {failures} times in a row; "
                    f"run the same command again later to go on after {transfer.have:,} bytes."
                ) from error
            time.sleep(_wait(error, failures, patience))
    complaint = verify(transfer.part) if verify else ""
    if complaint:
        transfer.forget()
        raise InputError(f"{url} gave {complaint}, so it was deleted: run the same command again to fetch it anew.")
    transfer.part.replace(path)
    transfer.forget()


class _Transfer:
    """The unfinished file beside `path`, and a note of what the server said about it."""

    def __init__(self, url: str, path: Path, size: int | None, tick: Callable):
        self.url, self.size, self.tick = url, size, tick
        self.total = size
        self.part = path.with_name(path.name + ".part")
        self.note = path.with_name(path.name + ".part.from")
        self.have = self.part.stat().st_size if self.part.is_file() else 0
        if size is not None and self.have > size:
            self.have = 0
        self.furthest = self.have
        self.whole = size is not None and self.have == size

    def attempt(self, timeout: float) -> None:
        """Asks for what is missing, writes what comes; raises where it isn't everything."""
        headers = self._headers()
        self.asked = self.have if "Range" in headers else 0
        with self.part.open("r+b" if self.asked else "wb") as self.file:
            self.file.seek(self.asked)
            self.file.truncate()
            self.have = self.asked
            get = HTTPDownloader(chunk_size=CHUNK, timeout=timeout, headers=headers, hooks={"response": self._answered})
            get(self.url, self, None)
        if self.total is not None and self.have != self.total:
            raise _Broken(f"it sent {self.have:,} of {self.total:,} bytes")
        self.whole = True

    def write(self, chunk: bytes) -> None:
        """As the file's: pooch writes here."""
        if self.total is not None and self.have + len(chunk) > self.total:
            raise _Broken(f"it sent more than {self.total:,} bytes")
        self.file.write(chunk)
        self.have += len(chunk)
        self.furthest = max(self.furthest, self.have)
        self.tick(self.have, self.total)

    def flush(self) -> None:
        self.file.flush()

    def forget(self) -> None:
        """Leaves nothing to go on with."""
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _headers(self) -> dict[str, str]:
        """Asks for the rest if it is sure to be the rest of the same file: same validator, or a size and a check."""
        headers = {"Accept-Encoding": "identity"}  # bytes are counted
        url, _, validator = self.note.read_text().partition("\n") if self.note.is_file() else ("", "", "")
        validator = validator if url == self.url else ""
        if self.have and (validator or self.size is not None):
            headers["Range"] = f"bytes={self.have}-"
            if validator:
                headers["If-Range"] = validator
        return headers

    def _answered(self, response: requests.Response, *_, **__) -> None:
        """Between the answer's head and its body: is it the rest, or the whole file once more?"""
        if response.status_code == 416:  # nothing after what is there: not the same file
            self._start_over()
            raise _Broken("it has no more bytes than are here already")
        if response.status_code not in (200, 206):
            return  # a redirection, or pooch raises
        if response.status_code == 206:
            first, total = _content_range(response.headers.get("Content-Range", ""))
            if first != self.asked:
                self._start_over()
                raise _Broken("it sent another part of the file than was asked for")
        else:
            self._start_over()
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
        if self.size is not None and total is not None and total != self.size:
            raise InputError(
                f"{self.url} is {total:,} bytes where {self.size:,} were expected: "
                "it isn't COCO's file, so check the base address and any proxy between."
            )
        self.total = self.size if total is None else total
        etag = response.headers.get("ETag", "")
        strong = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
        self.note.write_text(f"{self.url}\n{strong}")

    def _start_over(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.have = 0


def _content_range(text: str) -> tuple[int | None, int | None]:
    """First byte and total of 'bytes 100-199/200'; None for what isn't said."""
    span, _, total = text.removeprefix("bytes ").partition("/")
    first = span.partition("-")[0]
    return int(first) if first.isdigit() else None, int(total) if total.isdigit() else None


def _answer(error: Exception) -> requests.Response | None:
    """What the server said, where it is that which failed."""
    return error.response if isinstance(error, requests.HTTPError) else None


def _stop_if_refused(error: Exception, url: str) -> None:
    """InputError for an answer that stays the same however often one asks."""
    answer = _answer(error)
    if answer is not None and answer.status_code not in RETRIED:
        said = f"{answer.status_code} ({answer.reason})"
        raise InputError(f"{url} answers {said}: check the base address, or whether the file has moved.") from error


def _wait(error: Exception, failures: int, patience: Patience) -> float:
    """Seconds until the next attempt: what the server asks for, else doubling."""
    answer = _answer(error)
    asked = "" if answer is None else answer.headers.get("Retry-After", "")
    doubling = patience.pause * 2 ** max(failures - 1, 0)
    return min(float(asked) if asked.isdigit() else doubling, patience.longest)


def _said(error: Exception, patience: Patience) -> str:
    """What happened, in words."""
    if (answer := _answer(error)) is not None:
        return f"the server answered {answer.status_code} ({answer.reason})"
    if isinstance(error, _Broken):
        return f"the server is inconsistent, {error}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"nothing came for {patience.timeout:g} s"
    return "the connection failed"

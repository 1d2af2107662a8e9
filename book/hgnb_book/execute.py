"""Runs one chapter with papermill: parameters checked first, output written aside and renamed when whole."""

import ast
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import watching
from hgnb.errors import InputError, unknown
from hgnb.home import home, write_whole
from hgnb_book import journal
from hgnb_book.chapter import ANSI, ChapterError, parameters, place, read
from hgnb_book.edition import homely, private_folders
from hgnb_book.weave import weave


def run(notebook: Path, out: Path, given: dict[str, Any], *, woven: bool = False) -> Path:
    """Run `notebook` with the parameters `given` and write it to `out`, `woven` into a page if asked.

    Text values are read as the type of the notebook's own default. On any failure `out` is not written.
    """
    homely(home())
    source = read(notebook)
    import nbformat  # after `read`, which spares it its grammar

    values = checked(notebook, source, given)
    with journal.told(notebook.stem):
        executed = _execute(notebook, source, values)
        if woven:
            executed = weave(executed, notebook.stem, private_folders(home(), str(values.get("data", "embedded"))))
        write_whole(out, f"{nbformat.writes(executed)}\n".encode())
    return out


def checked(notebook: Path, source, given: dict[str, Any]) -> dict[str, Any]:
    """`given` with each value in the type of its default; an unknown name or unreadable value is refused."""
    defaults = parameters(source)
    if given and not defaults:
        raise InputError(f"{notebook.name} takes no parameters: none of its cells is tagged 'parameters'.")
    for name in given:
        if name not in defaults:
            raise unknown("parameter", name, defaults, notebook.name)
    return {name: _typed(notebook, name, value, defaults[name]) for name, value in given.items()}


def _typed(notebook: Path, name: str, value: Any, default: Any) -> Any:
    if default is None or not isinstance(value, str) or isinstance(default, str):
        return value
    try:
        read = ast.literal_eval(value)
        if type(read) is type(default) or (isinstance(default, float) and isinstance(read, int)):
            return type(default)(read)
    except (ValueError, SyntaxError):
        pass
    kind = type(default).__name__
    raise InputError(
        f"The parameter '{name}' of {notebook.name} must be of type {kind}, as {default!r}, not '{value}'."
    )


@contextmanager
def own_kernel() -> Iterator[str]:
    """The name of a kernel of this very Python within the block, whatever kernels a person has under that name."""
    from ipykernel.kernelspec import write_kernel_spec

    before = os.environ.get("JUPYTER_PATH")  # what it names is looked into first
    with tempfile.TemporaryDirectory(prefix="hgnb-") as folder:
        kernels = Path(folder) / "kernels"
        kernels.mkdir()
        write_kernel_spec(str(kernels / "python3"))
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (folder, before)))
        try:
            yield "python3"
        finally:
            if before is None:
                del os.environ["JUPYTER_PATH"]
            else:
                os.environ["JUPYTER_PATH"] = before


def _execute(notebook: Path, source, values: dict[str, Any]):
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a debugger's notice, printed by every kernel
    os.environ.pop(watching.SESSION, None)  # a build that a notebook started is watched by nobody
    start = time.monotonic()
    try:
        # papermill formats path names with the parameters, which fails on a folder with braces: it gets none;
        # when the last cell is done nothing is left that a kernel would have to end in good order, which takes a second
        with own_kernel() as kernel:
            executed = papermill.execute_notebook(
                source, None, values, kernel_name=kernel, language="python", progress_bar=False,
                shutdown_kernel="immediate",
            )  # fmt: skip
    except PapermillExecutionError as error:
        where = place(source, error.cell_index, injected=bool(values))
        reason = " ".join(ANSI.sub("", str(error.evalue)).split())
        raise ChapterError(f"Chapter {notebook.name} stopped at {where}: {error.ename}: {reason}") from error
    except DeadKernelError as error:
        raise ChapterError(
            f"Chapter {notebook.name} stopped: its Python process died, most likely for lack of memory."
        ) from error
    executed.metadata["hgnb"] = {"parameters": dict(values), "seconds": round(time.monotonic() - start, 1)}
    return executed

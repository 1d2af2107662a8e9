"""What a reader is told who waits: how long, in progress bars, and errors with their sentence first."""

import os
import sys

from hgnb.errors import InputError

SESSION = "JPY_SESSION_NAME"  # Jupyter's server tells a kernel so which notebook somebody opened
ERASE = "\x1b[2K"  # the line, as terminals know it
WIDTH = 100  # characters of a bar


def waiting() -> bool:
    """Whether a reader waits in front of this notebook, as in JupyterLab, and not papermill."""
    return bool(os.environ.get(SESSION))


def watched() -> bool:
    """Whether a reader waits; if so, bars are drawn in the notebook's cells, and what they can mend is said before the
    place where it was found out. A page would keep every state of a bar.
    """
    if not waiting():
        return False
    import rich
    from IPython import get_ipython

    if shell := get_ipython():
        shell.set_custom_exc((InputError,), _sentence_first)

    # as text: rich's own way into a notebook takes ipywidgets, and says nothing without them
    rich.reconfigure(file=_Cell(), force_jupyter=False, force_terminal=True, color_system=None, width=WIDTH)
    return True


def spoken(seconds: float) -> str:
    """'40 s', '14 min', '3.2 h'."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _sentence_first(shell, kind, error, trace, tb_offset=None) -> None:
    lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset)
    error._render_traceback_ = lambda: [f"{error}\n", *lines]  # what IPython shows in place of its own
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


class _Cell:
    """The output of the cell that runs. Jupyter goes back to a line's start but can't erase the line: blanks do.

    It counts codes of colours as characters of the line, so there are none.
    """

    @property
    def stream(self):
        return getattr(sys.stdout, "rich_proxied_file", sys.stdout)  # while it draws, rich stands before the output

    def write(self, text: str) -> int:
        before, *lines = text.split(ERASE)
        return self.stream.write(before + "".join(map(self._whole, lines)))

    @staticmethod
    def _whole(text: str) -> str:
        line, end, rest = text.partition("\n")
        return f"{line:{WIDTH}}{end}{rest}"

    def flush(self) -> None:
        self.stream.flush()

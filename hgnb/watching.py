"""Progress bars in the cells of a notebook, where a reader waits in front of them."""

import os
import sys

SESSION = "JPY_SESSION_NAME"  # Jupyter's server tells a kernel so which notebook somebody opened
ERASE = "\x1b[2K"  # the line, as terminals know it
WIDTH = 100  # characters of a bar


def watched() -> bool:
    """Whether a reader waits in front of this notebook, as in JupyterLab; if so, bars are drawn in its cells.

    Under papermill nobody waits, and a page would keep every state of a bar.
    """
    if not os.environ.get(SESSION):
        return False
    import rich

    # as text: rich's own way into a notebook takes ipywidgets, and says nothing without them
    rich.reconfigure(file=_Cell(), force_jupyter=False, force_terminal=True, color_system=None, width=WIDTH)
    return True


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

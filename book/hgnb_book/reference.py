"""The page of reference, made from the docstrings of what `hgnb` offers by name."""

import inspect
import re
import textwrap

import hgnb

MARKUP = re.compile(r"(`[^`]*`)|([*_\[\]$<>{}|\\])")  # code stays as it is, letters that mean something are quoted


def page() -> str:
    """Markdown: for each public name how it is called, where it is at home, what it says, and its example."""
    return "\n\n".join(_entry(name, getattr(hgnb, name), home) for name, home in hgnb.PUBLIC.items()) + "\n"


def _entry(name: str, thing, home: str) -> str:
    words, _, example = (inspect.getdoc(thing) or "").partition("\n\n>>> ")
    words = MARKUP.sub(lambda found: found[1] or f"\\{found[2]}", words)
    called = f"```python\n{_called(name, thing)}\n```"
    return f"## `{name}`\n\n{called}\n\n{words}\n\n```python\n>>> {example}\n```\n\nAt home in `{home}`."


def _called(name: str, thing) -> str:
    """How it is called, without types, in lines that a page is wide enough for."""
    if isinstance(thing, type) and issubclass(thing, Exception):
        return name
    given = [p.replace(annotation=p.empty) for p in inspect.signature(thing).parameters.values()]
    line = f"{name}{inspect.Signature(given)}"
    return "\n".join(textwrap.wrap(line, 84, subsequent_indent="    ", break_long_words=False))

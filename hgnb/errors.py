"""Errors that are a reader's to mend: one sentence that names the file or the key."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """What a person gave can't be used; the message is one sentence and says what to change.

    >>> try:
    ...     load_profile("papr")
    ... except InputError as error:
    ...     print(error)
    Unknown profile 'papr': did you mean 'paper'?
    """


def unknown(kind: str, name: str, valid: Iterable[str], where: str = "") -> InputError:
    """The error for a `name` that is none of the `valid` ones, naming the nearest of them."""
    valid = sorted(valid)
    near = get_close_matches(name, valid, n=1, cutoff=0.5)
    place = f" in {where}" if where else ""
    hint = f"did you mean '{near[0]}'?" if near else f"it must be one of: {', '.join(valid)}."
    return InputError(f"Unknown {kind} '{name}'{place}: {hint}")

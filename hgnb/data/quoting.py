"""Values out of files that others wrote, as a sentence may quote them. Explained in 01_dataset."""


def plain(value: object, most: int = 40) -> str:
    """At most so many letters of a value, on one line, with nothing that a terminal obeys."""
    try:
        text = value if isinstance(value, str) else str(value)
    except (RecursionError, ValueError):  # lists in lists without end, a number of thousands of digits
        text = f"of type {type(value).__name__}"
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)

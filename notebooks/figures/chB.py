"""B1_trust: what the programs in benchmarks/ recorded of this book, with the machine that they found it on."""

import json

from figures.page import percent
from hgnb.errors import InputError
from hgnb.home import home


def record(name: str) -> dict:
    """What benchmarks/`name`.py found; InputError where it has not been tried."""
    file = home() / "benchmarks" / "results" / f"{name}.json"
    if not file.is_file():
        raise InputError(f"{name} has not been tried yet: `python benchmarks/{name}.py` does it and records it.")
    return json.loads(file.read_text(encoding="utf8"))


def machine(found: dict) -> str:
    """Where and on what code a record was made, in a sentence."""
    told = found["machine"]
    return f"Recorded on {told['cores']} cores of {told['cpu']}, at commit {commit(found)}."


def commit(found: dict) -> str:
    """The code that a record was made on, as git abbreviates it."""
    return found["machine"]["commit"][:7]


def rooms(found: dict, whole: str, part: str) -> list[tuple[str, str, str, str]]:
    """Of each room of the library and of all together: how many, how many of them `part`, and their share."""
    counts = {f"`{room}`": (told[whole], told[part]) for room, told in found["rooms"].items()}
    counts["together"] = sum(all_ for all_, _ in counts.values()), sum(some for _, some in counts.values())
    return [(room, f"{all_:,}", f"{some:,}", percent(some / all_)) for room, (all_, some) in counts.items()]


def quoted(said: str) -> str:
    """The last line of what a program said."""
    return f"“{said.strip().splitlines()[-1] if said.strip() else 'nothing'}”"

"""A judged ledger with the evidence that it rests on, and its copy in results/ for readers without this program."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hgnb import records
from hgnb.claims.ledger import Row
from hgnb.records import Record
from hgnb.stats import Estimate
from hgnb.training.recorded import stale
from hgnb.training.runs import write_aside


@dataclass(frozen=True)
class Result:
    """The rows of a ledger, JSON-able, and the record that was judged."""

    rows: list[dict[str, Any]]
    record: Record

    @classmethod
    def of(cls, rows: Sequence[Row], record: Record) -> "Result":
        """From the rows of a ledger."""
        return cls([packed(row.facts()) for row in rows], record)

    @property
    def seeds(self) -> list[int]:
        """Those of which anything was trained."""
        return [seed.number for seed in self.record.seeds if seed.trainings]

    @property
    def device(self) -> str:
        """Where the record's trainings ran, one or several."""
        return ", ".join(dict.fromkeys(facts["device"] for facts in self.record.facts))

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """Why the record isn't one of today's code and profile."""
        return stale(self.record)

    def facts(self) -> dict:
        """JSON-able: equal for equal evidence, whenever it was judged."""
        about = {
            "profile": self.record.profile,
            "data": self.record.data,
            "seeds": self.seeds,
            "evidence": f"results/{self.record.name}",
            "date": self.record.date,
        }
        return {"about": about, "claims": self.rows}

    @property
    def text(self) -> str:
        """The ledger's file."""
        return json.dumps(self.facts(), indent=1, allow_nan=False) + "\n"

    def keep(self) -> Path:
        """Writes the ledger beside the record that it was judged from."""
        path = place(self.record)
        path.parent.mkdir(exist_ok=True)
        write_aside(path, self.text.encode())
        return path


def packed(thing: Any) -> Any:
    """As JSON takes it: estimates as objects, null for what no JSON number is."""
    if isinstance(thing, Estimate):
        return packed(asdict(thing))
    if isinstance(thing, dict):
        return {key: packed(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [packed(item) for item in thing]
    if hasattr(thing, "item"):  # NumPy's numbers
        thing = thing.item()
    return None if isinstance(thing, float) and not math.isfinite(thing) else thing


def place(record: Record) -> Path:
    """Where the ledger of a record of chains is kept."""
    return records.folder() / f"claims-{record.profile}-{record.data}.json"

"""What the ledger keeps on disk: evidence that was gathered once, and results with the manifest that dates them."""

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hgnb.errors import InputError
from hgnb.explain.claims.estimate import Estimate
from hgnb.explain.claims.ledger import Row
from hgnb.home import home
from hgnb.sources import fingerprint
from hgnb.training.experiment import FROZEN_ROOTS, Experiment
from hgnb.training.hardware import device_name
from hgnb.training.recorded import BETTER, DATA_ROOTS, staleness
from hgnb.training.runs import write_aside

# what a verdict is made of, down to the network
ROOTS = (*FROZEN_ROOTS, "hgnb.explain.claims.evidence.GROUPS", "hgnb.explain.claims.ledger.judge")
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")
FIELDS = {"value", "low", "high", "freedom", "seeds"}


def packed(thing: Any) -> Any:
    """Evidence as JSON takes it: estimates as objects, null for what no JSON number is."""
    if isinstance(thing, Estimate):
        return packed(asdict(thing))
    if isinstance(thing, dict):
        return {key: packed(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [packed(item) for item in thing]
    if hasattr(thing, "item"):  # NumPy's numbers
        thing = thing.item()
    return None if isinstance(thing, float) and not math.isfinite(thing) else thing


def unpacked(fields: dict) -> Any:
    """json's object_hook for what `packed` wrote; of an estimate's missing numbers only `freedom` is infinite."""
    if set(fields) != FIELDS:
        return fields
    freedom = math.inf if fields["freedom"] is None else fields["freedom"]
    value, low, high = (math.nan if fields[k] is None else fields[k] for k in ("value", "low", "high"))
    return Estimate(value, low, high, freedom, fields["seeds"])


@dataclass(frozen=True)
class Manifest:
    """What a result came from: it is current only while code, data and runs are these."""

    profile: str
    data: str
    seeds: list[int]
    code: str
    checksum: str  # of the prepared data
    runs: list[str]
    versions: dict[str, str]
    device: str
    date: str
    data_code: str = ""  # what makes the data
    numbers: Mapping[str, Any] = field(default_factory=dict)  # of the profile, as hgnb.training.recorded gives them

    @classmethod
    def of(
        cls, profile: str, data: str, seeds: Sequence[int], checksum: str, runs: Iterable[str],
        numbers: Mapping[str, Any] | None = None,
    ) -> "Manifest":  # fmt: skip
        """Of a ledger that is judged now."""
        versions = {p: version(p) for p in PACKAGES}
        date, codes = time.strftime("%Y-%m-%d", time.gmtime()), (fingerprint(ROOTS), fingerprint(DATA_ROOTS))
        return cls(
            profile, data, list(seeds), codes[0], checksum, sorted(runs), versions, device_name(), date, codes[1],
            numbers or {},
        )  # fmt: skip

    def changed(self, live: Experiment) -> str:
        """Why a result isn't one of today's code, profile and data, beside an experiment that may be of others: '' if
        nothing speaks against it."""
        return "; ".join(staleness(asdict(self), live, ROOTS, "the code that trains or judges"))

    def stale(self, checksum: str) -> str:
        """Why a result isn't current beside one of the same profile and data: '' if it is, else what has changed."""
        changed = []
        if self.code != fingerprint(ROOTS):
            changed.append("the code")
        if self.checksum != checksum:
            changed.append("the data")
        return " and ".join(changed)


@dataclass(frozen=True)
class Result:
    """A judged ledger and where it came from."""

    rows: list[dict[str, Any]]
    manifest: Manifest

    @classmethod
    def judged(cls, rows: Sequence[Row], manifest: Manifest) -> "Result":
        """From the rows of a ledger."""
        return cls([packed(row.facts()) for row in rows], manifest)

    def facts(self) -> dict:
        """JSON-able."""
        return {"manifest": asdict(self.manifest), "claims": self.rows}

    def keep(self) -> bool:
        """Writes it into results/ and says whether it did: not without any run, and not over what is as current and
        rests on more seeds."""
        path, manifest = place(self.manifest.profile, self.manifest.data), self.manifest
        if not manifest.seeds:
            return False
        there = load(manifest.profile, manifest.data)
        if there and not there.manifest.stale(manifest.checksum) and len(there.manifest.seeds) > len(manifest.seeds):
            return False
        path.parent.mkdir(exist_ok=True)
        write_aside(path, (json.dumps(self.facts(), indent=1, allow_nan=False) + "\n").encode())
        return True


def place(profile: str, data: str) -> Path:
    """Where the ledger of a profile and data is kept."""
    return home() / "results" / f"claims-{profile}-{data}.json"


def load(profile: str, data: str) -> Result | None:
    """The recorded ledger, current or not; None if there is none."""
    path = place(profile, data)
    return read(path) if path.exists() else None


def beside(live: Experiment) -> list[Result]:
    """The recorded ledgers that a page shows beside its own: one of each dataset, its own dataset's first.

    Of several the one with the page's own profile, or else that on most seeds; not that of the better model, which
    has a page of its own.
    """
    found = [read(path) for path in sorted(place("*", "*").parent.glob(place("*", "*").name))]

    def fits(result: Result) -> tuple:
        m = result.manifest
        return m.data != live.data_name, m.data, m.profile != live.profile.name, -len(m.seeds), m.profile

    kept: dict[str, Result] = {}
    for result in sorted(found, key=fits):
        if result.manifest.profile != BETTER:
            kept.setdefault(result.manifest.data, result)
    return list(kept.values())


def read(path: Path) -> Result:
    """A file of results/; InputError where it holds no ledger."""
    try:
        content = json.loads(path.read_bytes())
        return Result(content["claims"], Manifest(**content["manifest"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"results/{path.name} is no ledger ({type(error).__name__}): remove it.") from error

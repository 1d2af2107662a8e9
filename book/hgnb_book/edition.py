"""Which profile, data and seed: what a build or a recording is called, and where its stamps lie."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from hgnb.data.config import EMBEDDED
from hgnb.home import located


def resolved(data: str) -> str:
    """The data as every process of a build names them, whatever folder it runs in."""
    return EMBEDDED if data == EMBEDDED else str(located(data))


@dataclass(frozen=True)
class Edition:
    """One build of the book: which numbers, which data, which seed."""

    profile: str
    data: str  # "embedded", or a folder in COCO layout
    seed: int

    def __str__(self) -> str:
        return f"{self.profile} on {self.data_name}, seed {self.seed}"

    @property
    def data_name(self) -> str:
        """What pages call the data: the folder's name, never its path."""
        return Path(resolved(self.data)).name

    def stamps(self, root: Path) -> Path:
        """The folder of this edition's stamps, one JSON file a finished stage."""
        return root / "data" / "stamps" / f"{self.profile}-{self._slug()}-{self.seed}"

    def recorded(self, root: Path, study: str) -> Path:
        """The folder of a study's stamps, one JSON file a training, whatever its seed."""
        return root / "data" / "stamps" / f"{study}-{self.profile}-{self._slug()}"

    def _slug(self) -> str:
        if self.data == EMBEDDED:
            return EMBEDDED
        plain = re.sub(r"[^A-Za-z0-9_.]+", "-", self.data_name)
        # two folders of one name stay two editions
        return f"{plain}-{hashlib.sha256(resolved(self.data).encode()).hexdigest()[:8]}"


def titled(stage: str, seed: int) -> str:
    """What a build calls a stage; the seed is told where it isn't the usual one."""
    return f"{stage} (seed {seed})" if seed else stage

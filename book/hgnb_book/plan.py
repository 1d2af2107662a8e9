"""What a queue is to train: in which order, what is left, and how each training ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from figures.watching import spoken
from hgnb.training.networks import Study, Training

LOG = "data/queue.log"
SILENT = f"it ended without a word, as a process does that is killed or finds no memory; the log is {LOG}."


@dataclass(frozen=True)
class Asked:
    """What a queue is to record."""

    study: str
    profile: str
    data: str  # "embedded", or a folder in COCO layout


@dataclass(frozen=True)
class Unit:
    """One training of one seed."""

    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name} (seed {self.seed})"


@dataclass
class Plan:
    """Which units wait, run, are done or failed, and how long is left: seeds in order, parents first."""

    units: list[Unit]
    needs: dict[str, list[str]]  # of a training, by name: those of the plan that it builds on
    done: dict[Unit, float] = field(default_factory=dict)  # seconds
    failed: dict[Unit, str] = field(default_factory=dict)
    running: dict[Unit, float] = field(default_factory=dict)  # since when

    @classmethod
    def of(cls, study: Study, trainings: Sequence[Training], seeds: Sequence[int]) -> "Plan":
        chosen = [one.name for one in trainings]
        needs = {one.name: [n.name for n in study.needs(one) if n.name in chosen] for one in trainings}
        return cls([Unit(name, seed) for seed in seeds for name in chosen], needs)

    @property
    def waiting(self) -> list[Unit]:
        ended = self.done.keys() | self.failed.keys() | self.running.keys()
        return [unit for unit in self.units if unit not in ended]

    def next(self) -> Unit | None:
        """The first that can begin; one whose parent failed fails with it."""
        for unit in self.waiting:
            parents = [Unit(name, unit.seed) for name in self.needs[unit.name]]
            if lost := next((parent for parent in parents if parent in self.failed), None):
                self.failed[unit] = f"it builds on {lost.name}, which failed."
            elif all(parent in self.done for parent in parents):
                return unit
        return None

    def expected(self, name: str) -> float:
        """Seconds that a training takes: the mean of its other seeds, else of all that was measured."""
        like = [s for unit, s in self.done.items() if unit.name == name] or list(self.done.values())
        return sum(like) / len(like)

    def left(self, jobs: int, now: float) -> float | None:
        """Seconds until all is done, from what like trainings took; None while nothing is measured."""
        if not self.done:
            return None
        whole = [self.expected(unit.name) for unit in self.waiting]
        begun = [max(self.expected(unit.name) - (now - since), 0) for unit, since in self.running.items()]
        return max([sum(whole + begun) / jobs, *begun])

    def told(self, jobs: int, now: float) -> str:
        """'3 of 12, about 14 min left'."""
        ended, left = len(self.done) + len(self.failed), self.left(jobs, now)
        unmeasured = {u.name for u in [*self.waiting, *self.running]} - {u.name for u in self.done}
        guess = f" (a guess for {len(unmeasured)} that weren't measured)" if unmeasured else ""
        time_left = "no time known yet" if left is None else f"about {spoken(left)} left{guess}"
        return f"{ended} of {len(self.units)}, " + (time_left if ended < len(self.units) else "all ended")

"""What a training of the queue showed goes into the record of its study; records are listed and proved again."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.markup import escape
from rich.table import Table

from hgnb import records
from hgnb.errors import InputError
from hgnb.records import Record
from hgnb.training import networks, observations
from hgnb.training.experiment import Experiment
from hgnb.training.recorded import code, command, shared, stale
from hgnb.training.runs import Run
from hgnb_book.plan import Asked, Plan, Unit


def train(asked: Asked, unit: Unit) -> tuple[str, float]:
    """Trains a unit and records it; what to say of it, and the seconds that it takes where its data are ready."""
    experiment, training = Experiment.open(asked.profile, asked.data, unit.seed), networks.get(unit.name)
    (experiment.varied(unit.name) if training.varies else experiment).prepared()
    start = time.monotonic()
    run = training.run(experiment)
    if run is None:
        return "nothing to train: the rate of this hourglass never dropped", 0.0
    gather(asked.study, experiment, unit.name, run)
    trained = float(run.manifest["seconds"])  # in an earlier call, perhaps
    return f"{trained:.0f} s", max(trained, time.monotonic() - start)


def settled(asked: Asked, plan: Plan) -> bool:
    """Whether the record, of today's code, numbers and data, says of every unit of a plan how it ended; if so, the plan
    says it too."""
    held = records.find(asked.study, asked.profile, Experiment.open(asked.profile, asked.data).data_name)
    if held is None or stale(held):
        return False
    done = {Unit(name, seed.number): f["seconds"] for seed in held.seeds for name, f in seed.trainings.items()}
    failed = {Unit(name, seed.number): why for seed in held.seeds for name, why in seed.failed.items()}
    done, failed = ({unit: there[unit] for unit in plan.units if unit in there} for there in (done, failed))
    if replace(plan, done=done, failed=failed).next() or data_differing(held, asked.data):
        return False
    plan.done, plan.failed = done, failed
    return True


def gather(study: str, experiment: Experiment, name: str, run: Run) -> None:
    """Adds what a finished training showed to the record."""
    if observations.is_recorded(_common(study, experiment, name), experiment.seed, name, run):
        return  # what took minutes to measure is there
    about, persons, columns, facts = shown(study, experiment, name, run)
    records.add(about, persons, experiment.seed, name, columns, facts)


def shown(study: str, experiment: Experiment, name: str, run: Run) -> tuple[dict, Mapping, dict, dict]:
    """What a record holds of a training: what it shares with others, the persons, its columns, its facts."""
    if study == "chain":
        from hgnb.claims import collect
        from hgnb.claims.study import Study

        return collect.shown(Study(experiment, collect.finished(experiment)), name)
    varied = experiment.varied(name)
    about, persons = _people(study, experiment, name)
    return about, persons, observations.columns(varied, run), observations.facts(varied, run)


def renew(name: str, data: str, seed: int | None = None, only: Sequence[str] = ()) -> str:
    """Makes trainings of one seed of a record anew with today's code and, where all they show is equal to what the
    record holds, gives the record today's fingerprints; else an InputError says what differs.

    `data`: the folder of a record that isn't of the embedded data. `only`: some of the seed's trainings, for one whose
    whole would take days.
    """
    where = records.folder() / name
    record = records.read(where)
    one = next((s for s in record.seeds if s.number == seed), None) if seed is not None else record.seeds[0]
    if one is None:
        raise InputError(f"results/{name} has no seed {seed}: it has {', '.join(str(s.number) for s in record.seeds)}.")
    unasked = [reason for reason in stale(record) if "profile" in reason]
    if unasked:
        raise InputError(f"results/{name} can't be renewed, {unasked[0]}: remove the folder and record it anew.")
    if differ := data_differing(record, data):
        raise InputError(
            f"results/{name} isn't what today's code gives: of its data, {', '.join(differ)} differ. "
            "Remove the folder and record it anew."
        )
    experiment = Experiment.open(record.profile, data, one.number)
    for training in only or one.trainings:
        run = networks.get(training).run(experiment)
        assert run is not None  # it was recorded
        _, _, columns, _ = shown(record.study, experiment, training, run)
        if differ := records.differing(one.of(training), columns):
            raise InputError(
                f"results/{name} isn't what today's code gives: of '{training}', seed {one.number}, "
                f"{', '.join(differ)} differ. Remove the folder and record it anew."
            )
    records.restamp(where, code(record.study))
    made = f"{len(only) or len(one.trainings)} training{'s' if len(only or one.trainings) != 1 else ''}"
    return f"results/{name} is current: {made} of seed {one.number} came to the same, number by number."


def data_differing(record: Record, data: str) -> list[str]:
    """What of a record's persons today's code doesn't make the same; crops and keypoints are told by "the checksum".

    Trains nothing. `data`: the folder of a record that isn't of the embedded data.
    """
    about, persons = _people(record.study, Experiment.open(record.profile, data), record.trainings[0])
    checksum = ["the checksum"] if about["checksum"] != record.about["checksum"] else []
    return checksum + records.differing(record.persons, persons)


def note_failed(asked: Asked, unit: Unit, reason: str) -> None:
    """Says in the record that a training didn't end, and why."""
    about, persons = _people(asked.study, Experiment.open(asked.profile, asked.data, unit.seed), unit.name)
    records.add_failed(about, persons, unit.seed, unit.name, reason)


def _common(study: str, experiment: Experiment, name: str) -> dict:
    """What a record holds that its trainings share, of which `name` is one."""
    return shared(experiment, study) if study == "chain" else observations.shared(study, experiment.varied(name))


def _people(study: str, experiment: Experiment, name: str) -> tuple[dict, Mapping]:
    """The same with the persons."""
    common = _common(study, experiment, name)
    if study == "chain":
        from hgnb.claims import collect

        return common, collect.people(experiment)
    return common, observations.persons(experiment.varied(name))


@dataclass(frozen=True)
class Sheet:
    """Every record there is as a terminal shows it: (folder, the record or what is wrong with it)."""

    rows: Sequence[tuple[str, Record | InputError]]

    @property
    def current(self) -> bool:
        """Whether all can be read and are of today's code and profiles."""
        return all(isinstance(found, Record) and not stale(found) for _, found in self.rows)

    def facts(self) -> list[dict[str, Any]]:
        """JSON-able."""
        return [{"record": name} | _told(found) for name, found in self.rows]

    def __rich_console__(self, console, options):
        table = Table("record", "seeds", "trainings", "hours", "last", "state", "made by", show_lines=True)
        for fact in self.facts():
            seeds = ", ".join(map(str, fact.get("seeds", [])))
            hours = f"{fact['hours']:.1f}" if "hours" in fact else ""
            cells = (fact["record"], seeds, str(fact.get("trainings", "")), hours, fact.get("date", ""))
            table.add_row(*map(escape, cells), escape(fact["state"]), escape(fact.get("command", "")))
        yield table if self.rows else "results/ holds no record."


def _told(found: Record | InputError) -> dict[str, Any]:
    if isinstance(found, InputError):
        return {"state": str(found)}
    return {
        "seeds": [seed.number for seed in found.seeds],
        "trainings": len(found.facts),
        "failed": {seed.number: seed.failed for seed in found.seeds if seed.failed},
        "hours": round(found.hours, 2),
        "date": found.date[:10],
        "state": "; ".join(stale(found)) or "current",
        "command": command(found),
    }


def listed() -> Sheet:
    """Every folder of results/, read."""
    rows: list[tuple[str, Record | InputError]] = []
    for where in records.folders():
        try:
            rows.append((where.name, records.read(where)))
        except InputError as error:
            rows.append((where.name, error))
    return Sheet(rows)

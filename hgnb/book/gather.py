"""What a training of the queue showed goes into the record of its study."""

import time

from hgnb import records
from hgnb.book.queue import Asked, Unit
from hgnb.training import networks, observations
from hgnb.training.experiment import Experiment
from hgnb.training.runs import Run


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


def gather(study: str, experiment: Experiment, name: str, run: Run) -> None:
    """Adds what a finished training showed to the record."""
    if study == "chain":
        from hgnb.explain.claims import collect
        from hgnb.explain.claims.study import Study

        collect.keep_training(Study(experiment, collect.finished(experiment)), name)
        return
    varied = experiment.varied(name)
    shared, persons = observations.shared(study, varied), observations.persons(varied)
    if not observations.is_recorded(shared, experiment.seed, name, run):
        records.add(
            shared, persons, experiment.seed, name, observations.columns(varied, run), observations.facts(varied, run)
        )


def note_failed(asked: Asked, unit: Unit, reason: str) -> None:
    """Says in the record that a training didn't end, and why."""
    experiment = Experiment.open(asked.profile, asked.data, unit.seed)
    if asked.study == "chain":
        from hgnb.explain.claims import collect
        from hgnb.training.recorded import shared

        records.add_failed(shared(experiment, asked.study), collect.people(experiment), unit.seed, unit.name, reason)
        return
    varied = experiment.varied(unit.name)
    records.add_failed(
        observations.shared(asked.study, varied), observations.persons(varied), unit.seed, unit.name, reason
    )

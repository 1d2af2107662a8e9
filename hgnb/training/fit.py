"""`fit`: a finished run loads, an unfinished one resumes, a missing one trains. Explained in 02_experiment.

Lightning is loaded where there is something to train, and not before: it takes longer than all else together.
"""

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

from filelock import FileLock

from hgnb.training.job import Job
from hgnb.training.parallel import Team, team
from hgnb.training.runs import Recipe, Run, runs_folder

_FINISHED_ONLY: ContextVar[bool] = ContextVar("finished_only", default=False)


class Untrained(Exception):
    """A run that isn't finished was asked for where nothing may be trained; its id."""


@contextmanager
def finished_only():
    """Within the block `fit` trains nothing: it gives finished runs and raises Untrained for others."""
    token = _FINISHED_ONLY.set(True)
    try:
        yield
    finally:
        _FINISHED_ONLY.reset(token)


def fit(recipe: Recipe, prepare: Callable[[Team], Job], progress: bool = False) -> Run:
    """The run of a recipe. `prepare` builds the job, and is called only if there is something to train."""
    with team() as those:
        folder = runs_folder() / recipe.id
        if _FINISHED_ONLY.get() and not (folder / "manifest.json").exists():
            raise Untrained(recipe.id)
        folder.mkdir(parents=True, exist_ok=True)
        # Two chapters may ask for the same run at once; of a team, one process asks for all.
        with FileLock(folder / ".lock") if those.leads else nullcontext():
            if those.agreed(not (folder / "manifest.json").exists()):
                from hgnb.training.loop import train

                train(recipe, prepare, folder, those, progress)
            those.agreed(None)  # nobody reads the run before it is written
    return Run(folder)

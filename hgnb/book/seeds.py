"""The chain and its controls for several seeds, in parallel; what came of them goes into results/.

A run that fails stops only what builds on it. Called again, Snakemake does what isn't done yet.
"""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from hgnb.book import house
from hgnb.book.build import BuildError, experiment, last_words, only_build, snakemake
from hgnb.book.house import Edition
from hgnb.errors import InputError
from hgnb.home import home


def seeds(profile: str, data: str, count: int, cores: int | None = None) -> Path:
    """Make the seeds 0 to count - 1 and record those that finish; InputError names the runs that failed."""
    from hgnb.explain.claims import collect
    from hgnb.training.networks import STUDIES

    edition, root = Edition(profile, house.resolved(data), 0), home()
    opened = experiment(edition)
    opened.check()
    with only_build(root) as lock:
        _, events = snakemake(root, edition, cores, lock, "--keep-going", "seeds", seeds=count)
    failed = _failed(events, root)
    arms = [one.name for one in STUDIES["chain"].trainings if one.group in ("chain", "control")]
    done = [seed for seed in range(count) if all(_stamp(edition, seed, name).is_file() for name in arms)]
    if len(done) < count and not failed:
        raise BuildError(last_words(root))
    told = "\n".join(f"{what}: {why}" for what, why in failed.items())
    if not done:
        raise BuildError(f"No seed finished.\n{told}")
    file = collect.keep(opened)
    assert file is not None  # a seed is done
    where = file.parent
    Console(soft_wrap=True, highlight=False).print(
        f"{len(done)} of {count} seeds: {where.relative_to(root).as_posix()}", markup=False
    )
    if failed:
        raise InputError(f"{len(failed)} of the runs failed:\n{told}")
    return where


def _failed(events: list[dict], root: Path) -> dict[str, str]:
    """Why each run that was begun isn't done, without paths of this machine."""
    ended = {e["what"] for e in events if e["kind"] == "done"}
    begun = {e["what"]: "it was ended from outside." for e in events if e["kind"] == "start" and e["what"] not in ended}
    said = {e["what"]: e["text"].replace(f"{root}/", "") for e in events if e["kind"] == "failed"}
    return begun | said


def _stamp(edition: Edition, seed: int, stage: str) -> Path:
    return replace(edition, seed=seed).stamps(home()) / f"{stage}.json"

"""The library's verbs of the command `hgnb`, each of which hands over to the room that does it.

The book's are in `book/hgnb_book/cli.py`, which adds them to `app`.
"""

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hgnb.errors import InputError
from hgnb.home import FULL, home

# what a disk, a quota or a permission refuses: a person's to mend
REFUSED = FULL | {errno.EROFS, errno.EACCES, errno.EPERM}
_UsageError = typer.BadParameter.__mro__[1]  # click's, wherever this version of typer keeps it

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A thesis on human pose, as software.",
)
data_app = typer.Typer(no_args_is_help=True, help="Datasets in COCO layout.")
profile_app = typer.Typer(no_args_is_help=True, help="The numbers of an experiment.")
app.add_typer(data_app, name="data")
app.add_typer(profile_app, name="profile")


def _profiles() -> str:
    """All of them, for a help: no numbers are read."""
    try:
        return ", ".join(sorted(file.stem for file in (home() / "profiles").glob("*.toml")))
    except InputError:
        return "those in profiles/"


Profile = Annotated[str, typer.Option(help=f"The numbers to use: {_profiles()}.")]
Data = Annotated[str, typer.Option(help="'embedded', or a folder in COCO layout.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="RUN|WEIGHTS",
        help="Id of a run in data/runs, its beginning, a folder, a .safetensors file, or 'released'.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of each process.")]


@app.command()
def train(
    name: Annotated[
        str,
        typer.Argument(metavar="hourglass|autoencoder|modified|best|NAME", help="What to train; hgnb variants lists."),
    ],
    profile: Profile = "tiny",
    data: Data = "embedded",
    seed: Seed = 0,
    threads: Threads = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes that share each batch, a core each.")] = None,
    minutes: Annotated[
        int | None, typer.Option(help="With best: the recipe for 1, 5 or 15 minutes of two cores (profiles/best-*).")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="RUN", help="With hourglass: a run whose best weights it begins from.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODULE:BUILD", help="With hourglass: a network of your own; BUILD(K) makes it."),
    ] = None,
):
    """Train a network, or go on with it, or load it: whatever is left to do. Runs under torchrun and SLURM too."""
    limit(threads)
    if threads:
        os.environ["HGNB_THREADS"] = str(threads)  # a person's number goes before the profile's
    if minutes is not None:
        if name != "best":
            raise InputError(f"--minutes chooses a recipe of 'best', and there is none for '{name}'.")
        name, profile = "hourglass", f"best-{minutes}"
    from hgnb.training import networks, parallel, profiles
    from hgnb.training.experiment import Experiment
    from hgnb.training.hardware import forced_count

    count = processes or forced_count("HGNB_PROCESSES") or profiles.load(profile).machine.processes
    if count > 1 and not parallel.STARTED & os.environ.keys():
        sys.exit(parallel.together(count, [sys.executable, "-m", "hgnb.cli", *sys.argv[1:]]))
    variant = name if networks.get(name).varies else ""
    experiment = Experiment.open(profile, data, seed, progress=sys.stdout.isatty(), variant=variant)
    if model:
        if name != "hourglass":
            raise InputError(f"--model puts a network of your own in place of 'hourglass', not of '{name}'.")
        experiment = experiment.changed(model.replace(":", "."), network=model)
    experiment.check()
    first = int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) == 0
    for remark in experiment.remarks() if first else ():
        print(remark, file=sys.stderr)
    if start is None:
        facts = experiment.stage(name)
    elif name == "hourglass":
        from hgnb.training.catalogue import weights

        if (parent := weights(start).run) is None:
            raise InputError(f"'{start}' is a file of weights, and --start takes a run.")
        facts = experiment.outcome(name, experiment.started(parent))
    else:
        raise InputError(f"--start is for 'hourglass', and '{name}' begins where its definition says.")
    if first:
        print(json.dumps(facts, indent=1))


@app.command("variants")
def list_variants():
    """List the trainings that `hgnb train` knows by name."""
    from hgnb.training.networks import sheet

    show(sheet())


@app.command()
def runs():
    """List the trainings in data/runs: finished, unfinished and running."""
    from hgnb.training.runs import overview

    show(overview())


@app.command()
def claims(
    profile: Profile = "tiny",
    data: Data = "embedded",
    seed: Seed = 0,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Judge every record in results/ instead, from its evidence alone.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Add what the runs show to their record, and write the ledger to results/.")
    ] = False,
    as_json: Json = False,
):
    """Judge every claim of the sources on the finished runs of this profile and data; trains and writes nothing."""
    from hgnb import records
    from hgnb.claims import collect

    def judge(record: records.Record, remedies: Sequence[str] = (), keep: bool = keep) -> None:
        result = replace(collect.judged(record), remedies=remedies)
        show(result.keep() if keep else result, result.facts() if as_json else None)

    if recorded:
        for where in records.folders(collect.STUDY):
            judge(records.read(where))
        return
    from hgnb.training.experiment import Experiment

    def told(words: str) -> None:
        print(words, file=sys.stderr)

    experiment = Experiment.open(profile, data, seed)
    experiment.check()
    if keep and (file := collect.keep(experiment, told)):
        judge(records.read(file.parent))
    else:
        record = collect.live(experiment, told)
        judge(record, collect.remedies(experiment, record), keep=False)


@app.command()
def evaluate(
    source: Source,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    data: Annotated[
        str | None, typer.Option(help="A folder in COCO layout in place of the run's own data; matched by name.")
    ] = None,
    visible_only: Annotated[bool, typer.Option("--visible-only", help="Count visible keypoints (v = 2) only.")] = False,
    joints: Annotated[str, typer.Option(help="all; or groups (head, torso, limbs) and joints, with commas.")] = "all",
    as_json: Json = False,
):
    """Measure a network on a split of its own data, or of others': PCK, PCKh, OKS."""
    from hgnb.training.catalogue import weights
    from hgnb.training.evaluation import evaluate

    result = evaluate(weights(source), split, data=data, visible_only=visible_only, joints=joints)
    show(result, result.facts() if as_json else None)


@app.command()
def predict(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN|WEIGHTS] PHOTO...",
            help="Image files, shown upright, or folders of them; before them a network, else the released one.",
        ),
    ],
    box: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="A person, in pixels of the upright picture; repeat for more."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Picture to write; of several photographs, a folder of them.")
    ] = None,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="Average with the mirror image's heatmaps.")] = False,
    as_json: Json = False,
):
    """Find the keypoints of the persons in photographs; without a box the whole picture is one."""
    from hgnb.training.catalogue import weights
    from hgnb.training.prediction import asked, predict

    network, files = asked(words)
    if box and len(files) > 1:
        raise InputError(f"A box is of one photograph, and these are {len(files)}: name one, or leave out --box.")
    chosen = weights(network)
    results = [predict(chosen, file, box or (), mirrored=mirrored) for file in files]
    if out:
        from hgnb.drawing import save, save_all

        save(results[0], out) if len(results) == 1 else save_all(results, out)
    facts = [result.facts() for result in results]
    for result in results[:1] if as_json else results:
        show(result, (facts if len(facts) > 1 else facts[0]) if as_json else None)


@app.command()
def export(
    source: Source,
    onnx: Annotated[Path, typer.Option(metavar="FILE", help="The ONNX file to write.")],
    components: Annotated[
        int, typer.Option(min=0, help="Principal components that `keep` can choose from; 0 leaves `keep` out.")
    ] = 100,
):
    """Write a trained hourglass as an ONNX file with switches for skips and components, checked against torch."""
    from hgnb.analysis.components import export_basis
    from hgnb.training.catalogue import weights
    from hgnb.training.export import export, ready

    ready(onnx)  # before components are computed, which takes a while
    chosen = weights(source)
    print(export(chosen, onnx, *export_basis(chosen, components)))


@data_app.command()
def synthetic(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    train_images: Annotated[int, typer.Option(min=1)] = 1000,
    val_images: Annotated[int, typer.Option(min=1)] = 200,
    seed: Seed = 0,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes; one a core if not given.")] = None,
    schema: Annotated[str, typer.Option(help="Keypoints: coco17 or mpii16.")] = "coco17",
    labelling: Annotated[
        str, typer.Option(help="How many are labelled: as in COCO (coco), or most (generous).")
    ] = "coco",
):
    """Draw people and write them as a dataset in COCO layout."""
    from hgnb.data.drawn.synthetic import write

    write(
        out, train_images=train_images, val_images=val_images, seed=seed, processes=processes, schema=schema,
        labelling=labelling,
    )  # fmt: skip


@data_app.command()
def fetch(
    what: Annotated[str, typer.Argument(metavar="tiny|val|full", help="200 photographs, val2017, or all of it.")],
    out: Annotated[Path, typer.Option(help="Folder to fill; an interrupted fetch goes on there.")],
):
    """Get COCO Keypoints 2017 from its official addresses, or the mirror that HGNB_COCO_URL names."""
    from hgnb.data.fetch import fetch

    added = fetch(what, out)
    print(f"{out}: {', '.join(added)} added." if added else f"{out}: '{what}' is complete already.")


@data_app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders in COCO layout.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
):
    """One dataset from several, by the names of the first one's keypoints; what a source lacks is unlabelled."""
    from hgnb.data.merge import merge

    show(merge(folders, out))


@data_app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder in COCO layout, or as an exporter wrote it.")],
    write: Annotated[
        Path | None, typer.Option(metavar="CLEAN", help="Write the persons that can be used as a clean COCO folder.")
    ] = None,
    pairs: Annotated[
        str,
        typer.Option(metavar="LEFT=RIGHT,…", help="Keypoints that a mirror image exchanges, where names don't say."),
    ] = "",
    category: Annotated[str, typer.Option(help="The category whose keypoints are meant, where several differ.")] = "",
    exif: Annotated[
        str, typer.Option(help="Orientations of photographs: follow, ignore, or as the annotations show (evidence).")
    ] = "evidence",
):
    """Say what a dataset holds, and what was repaired, is dropped, looks suspicious; status 1 if any is dropped."""
    from hgnb.data.check import check, clean
    from hgnb.data.intake import Choices
    from hgnb.home import located

    choices = Choices.parsed(pairs, category, exif)
    folder = located(folder)
    report = check(folder, progress=True, choices=choices)
    show(report)
    if write:
        print(clean(report, write, upright=exif == "follow"))
    raise typer.Exit(0 if report.sound else 1)


@profile_app.command("show")
def show_profile(name: str):
    """Print every number of a profile with its unit and source."""
    from hgnb.training import profiles
    from hgnb.training.profiles import sheet

    show(sheet(name, profiles.load(name)))


def show(result, facts: dict | list | None = None) -> None:
    """Prints a result as tables, or its facts as JSON."""
    from rich.console import Console

    Console().print(result) if facts is None else print(json.dumps(facts, indent=1, allow_nan=False))


def limit(threads: int | None) -> None:
    """Set before numerical libraries load: they read it once."""
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)


def _paired(words: list[str]) -> list[str]:
    """`-p KEY VALUE`, as papermill takes it, in the one word `KEY=VALUE` that typer can repeat."""
    paired, rest = [], list(words)
    while rest:
        paired.append(rest.pop(0))
        if paired[-1] in ("-p", "--parameter") and rest:
            key = rest.pop(0)
            if "=" not in key:
                if not rest:
                    raise InputError(f"The parameter '{key}' has no value: write -p {key} VALUE.")
                key = f"{key}={rest.pop(0)}"
            paired.append(key)
    return paired


def main(tell: Callable[[str, str, str], None] = lambda *_: None) -> None:
    """Run a command; what a person can mend is said in one sentence, with exit status 1.

    `tell`: hears of an error, as ("error", "", sentence).
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe of Windows has no ✓ and no ×
    try:
        sys.exit(app(_paired(sys.argv[1:]), standalone_mode=False))
    except InputError as error:
        sentence = str(error)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.exit(0)  # the help stands there already
        sentence = error.format_message()
        sentence += f" ('{error.ctx.command_path} --help' lists what there is.)" if error.ctx else ""
    except typer.Abort:
        sentence = "Stopped."
    except MemoryError:
        sentence = "There isn't enough memory for this: close other programs, or take a smaller profile."
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        what = f"'{error.filename or 'A file'}' can't be written or read ({error.strerror})"
        sentence = f"{what}: mend that and call again."
    except Exception as error:
        tell("error", "", f"{type(error).__name__}: {error} (data/build.log says where)")
        raise
    tell("error", "", sentence)
    print(sentence, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()

"""The command `hgnb`: the library's verbs, and those that record its studies, make the book and release its network."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hgnb import cli as library
from hgnb.cli import Data, Json, Profile, Seed, Source, Threads, app, limit, show
from hgnb_book import journal
from hgnb_book.edition import Edition

Cores = Annotated[int | None, typer.Option(min=1, help="Processor cores; all of them if not given.")]


@app.command()
def book(
    profile: Profile = "tiny",
    data: Data = "embedded",
    seed: Seed = 0,
    cores: Cores = None,
    force: Annotated[bool, typer.Option("--force", help="Run every step again.")] = False,
):
    """Make the data, train, run every chapter and render the site: whatever isn't done yet."""
    from hgnb_book.build import build

    build(profile, data, seed, cores, force)


@app.command()
def run(
    notebook: Path,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the executed notebook goes.")],
    given: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="KEY VALUE", help="A parameter; repeat for more.")
    ] = None,
    woven: Annotated[bool, typer.Option("--woven", help="Ready for the book: words on figures.")] = False,
    threads: Threads = None,
):
    """Run one chapter with papermill; an unknown parameter is refused."""
    limit(threads)
    from hgnb_book.execute import run

    run(notebook, out, dict(pair.split("=", 1) for pair in given or []), woven=woven)


@app.command()
def render(profile: Profile = "tiny", data: Data = "embedded", seed: Seed = 0):
    """Render the executed chapters into site/."""
    from hgnb.home import home
    from hgnb_book.render import render

    render(Edition(profile, data, seed), home())


@app.command("open")
def open_site(
    site: Annotated[
        Path | None, typer.Argument(help="A book's folder, as a workflow's artefact; site/ if not given.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; a free one if not given.")] = 0,
    browser: Annotated[bool, typer.Option(help="Whether a browser is opened.")] = True,
):
    """Serve the last book on this machine alone, and open it in a browser; Ctrl-C ends it."""
    from hgnb_book.shelf import serve

    serve(site, port, browser)


@app.command()
def archive(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The file; hgnb-VERSION-EDITION.zip if not given.")
    ] = None,
):
    """Pack book, records and weights into one file with checksums, as archives take it."""
    from hgnb.home import home
    from hgnb_book.shelf import pack

    file, digest = pack(home(), out)
    print(f"{digest}  {file}")


@app.command()
def pdf(out: Annotated[Path | None, typer.Option("-o", "--out", help="The file; site/book.pdf if not given.")] = None):
    """Print the site as one PDF, with table of contents, page numbers and links; needs Chromium."""
    from hgnb.home import home
    from hgnb_book.pdf import pdf

    file, pages = pdf(home(), out)
    print(f"{file}: {pages} pages.")


@app.command()
def release(
    source: Source,
    data: Annotated[str, typer.Option(help="Photographs to measure on: a folder in COCO layout.")],
):
    """Make a run's weights those that come with the library, with a manifest of what they are and find."""
    from hgnb.training.catalogue import weights
    from hgnb_book.release import release

    print(json.dumps(release(weights(source), data), indent=1))


@app.command()
def record(
    study: Annotated[
        str,
        typer.Argument(
            metavar="chain|lighter|beyond|scale|readings", help="What to train: chapters 02-05, 06, 07, 08."
        ),
    ],
    profile: Profile = "tiny",
    data: Data = "embedded",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from --first-seed on.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes, one core each; all cores if not given.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="One training; repeat for more.")] = None,
):
    """Train whatever isn't trained yet of a study, on all cores, and record each in results/ as it ends; resumes."""
    from hgnb_book.queue import record

    record(study, profile, data, range(first_seed, first_seed + seeds), jobs, only or ())


@app.command("records")
def list_records(
    renew: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make a seed of a stale record anew; current if it is the same.")
    ] = None,
    data: Annotated[str, typer.Option(help="With --renew: the folder of data that aren't embedded.")] = "embedded",
    seed: Annotated[int | None, typer.Option(min=0, help="With --renew: which; the first if not given.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="TRAINING", help="With --renew: some of it.")] = None,
    as_json: Json = False,
):
    """List what is recorded in results/: seeds, hours, whether it is current, and what makes it; exit status 1 if
    anything is damaged or stale."""
    if renew is not None:
        from hgnb_book.gather import renew as renewed

        return print(renewed(renew, data, seed, only or ()))
    from hgnb_book.gather import listed

    sheet = listed()
    show(sheet, sheet.facts() if as_json else None)
    raise typer.Exit(0 if sheet.current else 1)


@app.command()
def results(profile: Profile = "tiny", data: Data = "embedded", seed: Seed = 0):
    """Print the results of the last build with this profile, data and seed."""
    from rich.console import Console

    from hgnb_book.build import results

    Console().print(results(Edition(profile, data, seed)))


@app.command(hidden=True)
def stage(
    name: str,
    stamp: Annotated[Path, typer.Option(help="JSON file that says what the stage made.")],
    profile: Profile = "tiny",
    data: Data = "embedded",
    seed: Seed = 0,
    threads: Threads = None,
):
    """Run one stage for `make book` and leave its stamp."""
    limit(threads)
    from hgnb_book.build import stage

    stage(Edition(profile, data, seed), name, stamp)


def main() -> None:
    """Run a command, and keep the journal of a build."""
    library.main(journal.tell)


if __name__ == "__main__":
    main()

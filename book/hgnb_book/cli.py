"""The command `hgnb`: the library's verbs, and those that make the book of it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from hgnb import cli as library
from hgnb.cli import Data, Profile, Seed, Threads, app, limit
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
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="KEY VALUE", help="A parameter; repeat for more."),
    ] = None,
    woven: Annotated[bool, typer.Option("--woven", help="Ready for the book: words on figures.")] = False,
    threads: Threads = None,
):
    """Run one chapter with papermill; an unknown parameter is refused."""
    limit(threads)
    from hgnb_book.execute import run

    run(notebook, out, dict(pair.split("=", 1) for pair in given or []), woven=woven)


@app.command()
def render(
    profile: Profile = "tiny",
    data: Data = "embedded",
    seed: Seed = 0,
    stamp: Annotated[Path | None, typer.Option(help="File to write once the site is published.")] = None,
):
    """Render the executed chapters into site/."""
    from hgnb.home import home
    from hgnb_book.render import render

    index = render(Edition(profile, data, seed), home())
    if stamp:
        stamp.write_text(f'"{index.relative_to(home()).as_posix()}"\n', encoding="utf8")


@app.command()
def pdf(out: Annotated[Path | None, typer.Option("-o", "--out", help="The file; site/book.pdf if not given.")] = None):
    """Print the site as one PDF, with table of contents, page numbers and links; needs Chromium."""
    from hgnb.home import home
    from hgnb_book.pdf import pdf

    file, pages = pdf(home(), out)
    print(f"{file}: {pages} pages.")


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
    """Run a command and keep the journal; `hgnb record` goes where Snakemake's own variable sends jobs, if it does."""

    def send(*asked):
        from hgnb_book import cluster

        return cluster.work_off(*asked)

    library.main(journal.tell, send=send if os.environ.get("SNAKEMAKE_PROFILE") else None)


if __name__ == "__main__":
    main()

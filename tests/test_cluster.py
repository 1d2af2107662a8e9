"""What a sweep on a cluster stands on: Snakemake's profile, the journal on the shared disk, the one-node SLURM."""

import subprocess

import yaml
from conftest import ROOT
from snakemake.cli import get_argument_parser

from hgnb.book import build
from hgnb.book.house import Edition


def test_the_profile_names_options_that_snakemake_has():
    """Those of the executor begin with its name; a misspelt one would stop the first sweep on a cluster."""
    settings = yaml.safe_load((ROOT / "cluster/slurm/config.yaml").read_text(encoding="utf8"))
    known = {option for action in get_argument_parser()._actions for option in action.option_strings}
    assert settings["executor"] == "slurm"
    assert [name for name in settings if f"--{name}" not in known and not name.startswith("slurm-")] == []


RULE = """
from os import environ
from hgnb.book import journal
rule all:
    output: "told"
    run:
        journal.tell("done", "a job")
        open(output[0], "w").write(environ[journal.VARIABLE])
"""


def test_jobs_find_the_journal_where_all_nodes_look(tmp_path):
    """A job on another node appends to the journal; a folder of this machine alone would end its training."""
    (tmp_path / "Snakefile").write_text(RULE)
    code, events = build.snakemake(tmp_path, Edition("smoke", "embedded", 0), 1, None, "all", tell=lambda _: None)
    assert code == 0, (tmp_path / build.LOG).read_text()
    assert (tmp_path / "told").read_text().startswith(f"{tmp_path}/data/")
    assert [event["what"] for event in events] == ["a job"]


def test_the_single_node_asks_for_what_it_needs():
    script = str(ROOT / "cluster/single_node.sh")
    for words, told in (([], "a folder for its configuration"), (["begin", "x"], "start or stop, not 'begin'")):
        done = subprocess.run(["bash", script, *words], capture_output=True, text=True)
        assert done.returncode != 0 and told in done.stderr

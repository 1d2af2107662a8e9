"""A sweep on a cluster: Snakemake's profile, the journal on the shared disk, who is named, a SLURM of one node."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, at_home, sweeping_house
from snakemake.cli import get_argument_parser

from hgnb.training import observations
from hgnb_book import cluster, journal, workflow
from hgnb_book.edition import Edition

SCRIPT = ROOT / "cluster/single_node.sh"
PATH = f"{os.environ['PATH']}:/usr/sbin"
PLUGIN = "snakemake_executor_plugin_slurm"
plugin = pytest.mark.skipif(importlib.util.find_spec(PLUGIN) is None, reason=f"{PLUGIN} isn't installed")


def settings() -> dict:
    return yaml.safe_load((ROOT / "cluster/slurm/config.yaml").read_text(encoding="utf8"))


def test_the_profile_names_options_that_snakemake_has():
    """Those of the executor begin with its name; a misspelt one would stop the first sweep on a cluster."""
    known = {option for action in get_argument_parser()._actions for option in action.option_strings}
    assert settings()["executor"] == "slurm"
    assert [name for name in settings() if f"--{name}" not in known and not name.startswith("slurm-")] == []


@plugin
def test_the_profile_names_options_that_the_executor_has():
    executor = importlib.import_module(PLUGIN)
    known = {f"slurm-{field.name.replace('_', '-')}" for field in fields(executor.ExecutorSettings)}
    own = {name: value for name, value in settings().items() if name.startswith("slurm-")}
    assert own and own.keys() <= known
    executor.ExecutorSettings(**{name.removeprefix("slurm-").replace("-", "_"): own[name] for name in own})


SAYS = """from os import environ
from hgnb_book import journal
journal.tell('done', 'a job')
open('told', 'w').write(environ[journal.VARIABLE])
"""
RULE = f"""
rule all:
    output: "told"
    shell: {shlex.join([sys.executable, "-c", SAYS])!r}
"""


def test_jobs_find_the_journal_where_all_nodes_look(tmp_path):
    """A job on another node appends to the journal; a folder of this machine alone would end its training."""
    (tmp_path / "Snakefile").write_text(RULE)
    code, events = workflow.snakemake(tmp_path, Edition("smoke", "embedded", 0), 1, None, "all", tell=lambda _: None)
    assert code == 0, (tmp_path / workflow.LOG).read_text()
    assert (tmp_path / "told").read_text().startswith(f"{tmp_path}/data/")
    assert [event["what"] for event in events] == ["a job"]


def test_a_line_that_two_nodes_spoilt_is_passed_over(tmp_path, monkeypatch):
    notes = tmp_path / "journal"
    monkeypatch.setenv(journal.VARIABLE, str(notes))
    journal.tell("start", "a")
    with notes.open("a") as file:
        file.write('{"kind": "do{"kind": "start", "wh\n')
    journal.tell("done", "b")
    assert [event["what"] for event in journal.read(notes)[0]] == ["a", "b"]


def test_a_training_that_is_ended_says_nothing_of_its_own(tmp_path, monkeypatch):
    """Lightning raises SystemExit without a word at SIGTERM; the cluster's word is the better one."""
    notes = tmp_path / "journal"
    monkeypatch.setenv(journal.VARIABLE, str(notes))
    with pytest.raises(SystemExit), journal.told("a"):
        raise SystemExit
    with pytest.raises(ValueError), journal.told("b"):
        raise ValueError("no loss")
    ended = [(event["kind"], event["what"], event["text"]) for event in journal.read(notes)[0]]
    assert ended == [("start", "a", ""), ("start", "b", ""), ("failed", "b", "no loss")]


JOB = """[Sat Nov 21 19:09:05 2026]
Error in rule recorded:
    message: {message}For further error details see the cluster/cloud log and the log files of the involved rule(s).
    jobid: 2
    input: profiles/smoke.toml
    output: data/stamps/{name}.json
    log: {root}/.snakemake/slurm_logs/{name}.log (check log file(s) for error details)
    shell:
        python -m hgnb_book.cli record
"""

HERE = """[Sat Nov 21 19:09:05 2026]
Error in rule recorded:
    message: None
    jobid: 3
    output: data/stamps/{name}.json
    shell:
        python -m hgnb_book.cli record
"""


def failed(root: Path, names: str, events: list[tuple], log: str) -> dict[str, str]:
    """Who is named, of the trainings `names`; those that have a stamp are finished."""
    (root / "data/stamps").mkdir(parents=True, exist_ok=True)
    (root / workflow.LOG).write_text(log)
    wanted = {name: root / f"data/stamps/{name}.json" for name in names}
    told = [dict(zip(("kind", "what", "text"), event, strict=True)) for event in events]
    return cluster.why(wanted, told, root)


def test_every_training_without_a_stamp_is_named_with_the_best_reason(tmp_path):
    """a is finished; b said why; c was ended by the queue; d was killed here; e was refused by the queue."""
    (tmp_path / "data/stamps").mkdir(parents=True)
    (tmp_path / "data/stamps/a.json").write_text("{}")
    started = [("start", name, "") for name in "abcd"]
    said = {"b": "Job 1 is 'FAILED'.", "c": "Job 2 is 'TIMEOUT'. Detailed failure reason unavailable.", "e": "Refused."}
    log = "".join(JOB.format(name=name, message=words, root=tmp_path) for name, words in said.items())
    log += HERE.format(name="d")
    found = failed(tmp_path, "abcdef", [*started, ("failed", "b", "no disk"), ("done", "a", "1 s")], log)
    assert found == {
        "b": "no disk",
        "c": "Job 2 is 'TIMEOUT'; the log is .snakemake/slurm_logs/c.log.",
        "d": cluster.SILENT,
        "e": "Refused; the log is .snakemake/slurm_logs/e.log.",
        "f": cluster.UNBEGUN,
    }
    assert failed(tmp_path, "a", [], log) == {}


def test_a_sweep_that_never_began_says_what_snakemake_said(tmp_path):
    """An executor that isn't installed, an account that isn't known: no training failed."""
    with pytest.raises(workflow.BuildError, match="Error: no executor 'slurm'"):
        failed(tmp_path, "ab", [], "Error: no executor 'slurm'\n")


def test_the_single_node_asks_for_what_it_needs_and_leaves_another_alone(tmp_path):
    for words, told in (
        ([], "start or stop, not ''"),
        (["start"], "a folder for its configuration"),
        (["begin", "x"], "start or stop, not 'begin'"),
        (["stop", "a b"], "spaces"),
        (["stop", tmp_path], "No SLURM was started with"),
    ):
        done = subprocess.run(["bash", SCRIPT, *words], capture_output=True, text=True)
        assert done.returncode != 0 and told in done.stderr
    assert subprocess.run(["bash", "-n", SCRIPT]).returncode == 0


@pytest.fixture
def node(tmp_path):
    """A SLURM of one node while the test runs: the folder of its logs."""
    if missing := [name for name in ("slurmctld", "slurmd", "munged") if not shutil.which(name, path=PATH)]:
        pytest.skip(f"{', '.join(missing)} missing: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("SLURM's daemons have to be started as root")
    if Path("/etc/slurm/slurm.conf").exists():
        pytest.skip("this machine has a SLURM already")
    folder = tmp_path / "slurm"
    done = subprocess.run(["bash", SCRIPT, "start", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield folder
    subprocess.run(["bash", SCRIPT, "stop", folder], check=True)


def jobs() -> dict[str, tuple[str, str]]:
    """Every job that SLURM remembers: (number, state) by what Snakemake wrote beside it."""
    command = ["squeue", "--noheader", "--states=all", "--format=%k|%i|%T"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {words[0]: (words[1], words[2]) for line in lines if (words := line.split("|"))}


@plugin
def test_a_sweep_on_slurm_goes_on_past_a_job_that_is_cancelled(node, tmp_path):
    """Two trainings are two jobs: one is cancelled and named, with what SLURM calls it, and the other is kept."""
    root = sweeping_house(tmp_path / "a sweep", "newell-2", "separable-4")
    profile = root / "cluster/slurm/config.yaml"
    profile.write_text(re.sub(r"(status-checks:) \d+", r"\1 2", profile.read_text()))

    paths = [str(root), str(root / "book"), *filter(None, [os.environ.get("PYTHONPATH")])]
    plain = {**os.environ, "HGNB_HOME": str(root), "PYTHONPATH": ":".join(paths), "SNAKEMAKE_PROFILE": "cluster/slurm"}
    command = [sys.executable, "-m", "hgnb_book.cli", "record", "lighter", "--profile", "smoke"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=root, env=plain, **pipes)
    doomed, kept = "rule_recorded_wildcards_separable-4_0", "rule_recorded_wildcards_newell-2_0"
    while process.poll() is None and doomed not in jobs():
        time.sleep(0.5)
    if process.poll() is None:
        number, _ = jobs()[doomed]
        subprocess.run(["scancel", number], check=True)
    out, err = process.communicate(timeout=1500)

    assert process.returncode == 1 and "1 of 2 trainings" in out, err
    assert f"separable-4 (seed 0): SLURM-job '{number}' failed, SLURM status is: 'CANCELLED'" in err
    assert {name: state for name, (_, state) in jobs().items()} == {kept: "COMPLETED", doomed: "CANCELLED"}
    assert "✓ newell-2 (seed 0)" in err
    with at_home(root):
        record = observations.found("lighter", "smoke", "embedded").record
    assert list(record.seeds[0].trainings) == ["newell-2"]

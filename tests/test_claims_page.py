"""The ledger as the page, the terminal and JSON show it."""

import json
import re
import sys
from io import StringIO

import pytest
from rich.console import Console
from test_claims import CASES, TINY

from hgnb import cli
from hgnb.explain.claims import rules
from hgnb.explain.claims.catalogue import CLAIMS
from hgnb.explain.claims.ledger import judge
from hgnb.explain.claims.record import Manifest, Result
from hgnb.explain.claims.sheet import Sheet, summary
from hgnb.figures import ledger


def result(at=0, seeds=(0,), date="2026-01-02"):
    """A ledger in which each claim holds (0), fails (1) or is undecided (2), unless it is a level."""
    evidence = {name: (cases[at] or cases[0])[0] for name, cases in CASES.items()}
    made = Result.judged(judge([evidence], TINY), Manifest.of("tiny", "embedded", seeds, "abc", ["a run"]))
    return Result(made.rows, Manifest(**{**vars(made.manifest), "date": date}))


def cells(markdown):
    return [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("| **")]


def test_the_table_has_every_claim_with_its_verdict_to_filter_by():
    made = ledger.table(result(), None, "")
    page, rows = made.markdown(), cells(made.markdown())
    assert ":name: tbl-claims" in page and "nan" not in page.lower().split()
    assert [row[0].split("**")[1] for row in rows] == [claim.id for claim in CLAIMS]
    assert made.filters == ("verdict",) and {row[3] for row in rows} <= set(rules.VERDICTS)
    assert "{numref}`fig-skip-histograms`" in page


def test_a_record_stands_beside_and_a_stale_one_says_so():
    live, before = result(0), result(1, seeds=range(5))
    current = ledger.table(live, before, "").markdown()
    assert "| recorded |" in current and "stale" not in current and "fails; " in current
    stale = ledger.table(live, before, "the code")
    assert all(row[4].startswith("*stale:* ") for row in cells(stale.markdown()))
    note = ledger.record(before, "the code").text
    assert "2026-01-02" in note and "seeds 0, 1, 2, 3 and 4" in note and "**stale**: the code" in note
    assert "stale" not in ledger.record(before, "").text and "make claims" in ledger.record(None, "").text


def test_the_rules_are_on_the_page():
    text = ledger.rules().text
    assert all(f"- **{claim.id}** {claim.rule}" in text for claim in CLAIMS)


def test_the_terminal_shows_verdicts_reasons_and_remedies():
    out = StringIO()
    command = "hgnb train modified --profile tiny --data embedded --seed 0"
    Console(file=out, width=140).print(Sheet(result(2), [command], kept=True))
    text = out.getvalue()
    assert command in text and "results/claims-tiny-embedded.json" in text
    assert all(claim.id in text for claim in CLAIMS) and "undecided" in text
    assert summary(result(2)) in " ".join(text.split())


def test_the_summary_counts():
    told = {word: int(n) for n, word in re.findall(r"(\d+) (hold|fail|undecided|need)", summary(result(1)))}
    levels = sum(claim.number for claim in CLAIMS)
    methods = sum(claim.method and not claim.number for claim in CLAIMS)
    assert told == {"hold": 0, "fail": len(CLAIMS) - levels - methods, "undecided": methods, "need": levels}


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_the_command_judges_what_is_there(trained, monkeypatch, capsys, words):
    experiment, run = trained
    monkeypatch.setattr("hgnb.training.experiment.Experiment.open", lambda *given, **named: experiment)
    monkeypatch.setattr(sys, "argv", ["hgnb", "claims", "--profile", "smoke", "--data", experiment.data, *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    printed = capsys.readouterr().out
    if words:
        facts = json.loads(printed)
        assert facts["manifest"]["runs"] == [run.id] and len(facts["claims"]) == len(CLAIMS)
        assert all(row["rule"] and row["verdict"] in rules.VERDICTS for row in facts["claims"])
    else:
        assert "hgnb train modified" in printed and "make claims SEEDS=5" in printed
        assert str(experiment.folder.parent) not in printed.split("What is missing")[0], "no path but in the commands"

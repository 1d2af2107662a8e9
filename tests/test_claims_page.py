"""The ledger as the page, the terminal and JSON show it."""

import json
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import made_up
import pytest
from browser import chromium, opened
from rich.console import Console
from test_claims import BY_ID, CASES, case

from figures import verdicts
from hgnb import cli
from hgnb.claims import claim
from hgnb.claims.ledger import CLAIMS, Result, decided, summary

LEVEL = "`paper` on the whole of COCO"


def result(at=0, seeds=(0,)):
    """A ledger in which each claim holds (0), fails (1) or is undecided (2), unless it is a level."""
    made = []
    for name, numbers in CASES.items():
        shown = next(n for n in (numbers[at], *numbers) if n is not None)
        made.append(case(name, shown, LEVEL if BY_ID[name].number else ""))
    return Result([row.facts() for row in decided(made)], made_up.chain([{"hourglass": 0.4}] * len(seeds)))


def cells(markdown):
    return [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("| **")]


def test_the_table_has_every_claim_with_its_verdict_to_filter_by():
    made = verdicts.table(result())
    page, rows = made.markdown(), cells(made.markdown())
    assert ":name: tbl-claims" in page and "nan" not in page.lower().split()
    assert [row[0].split("**")[1] for row in rows] == [claim.id for claim in CLAIMS]
    assert made.filters == (verdicts.VERDICT,) and {row[3] for row in rows} <= set(claim.VERDICTS)
    assert "{numref}`fig-skip-histograms`" in page
    rules_told = verdicts.rules().text
    assert all(f"- **{claim.id}** {claim.rule}" in rules_told for claim in CLAIMS)


def test_records_stand_beside_and_a_stale_one_says_so():
    live, before = result(0), result(1, seeds=range(5))
    fresh = verdicts.Column("small on embedded", before)
    old = replace(fresh, title="small on lspet", changed="the code changed")
    made = verdicts.table(live, [fresh, old])
    rows = cells(made.markdown())
    assert "| small on embedded | small on lspet | Shown in |" in made.markdown()
    assert made.classes == "sortable filter-3 filter-4 filter-5", "every column of verdicts can be filtered by"
    assert all(row[4].split(";")[0] in claim.VERDICTS and row[5] == f"*stale:* {row[4]}" for row in rows)
    assert any(row[4].startswith("fails; ") for row in rows)
    assert all("2026-01-02, seeds 0, 1, 2, 3 and 4" in column.came for column in (fresh, old))
    assert "**Stale**: the code changed." in old.came and "stale" not in fresh.came.lower()
    assert f"test PCK of the hourglass {before.rows[5]['measured']}. " in old.came


def test_every_column_of_verdicts_filters_the_page(tmp_path):
    """In a browser: what was measured stands behind a verdict in a record's cell and doesn't part it from others."""
    made = verdicts.table(result(0), [verdicts.Column("small on lspet", result(1, seeds=range(5)))])
    table = made.rows.to_html(index=False, classes=made.classes)
    script = (Path(__file__).resolve().parents[1] / "book" / "_static" / "hgnb.js").read_text(encoding="utf8")
    page = tmp_path / "claims.html"
    page.write_text(f"<!doctype html><meta charset=utf8><body>{table}<script>{script}</script>", encoding="utf8")
    with chromium() as browser, opened(browser, page) as tab:
        menus = tab.page.locator(".live-filters select")
        assert menus.count() == 2
        for menu in (menus.nth(0), menus.nth(1)):
            assert set(menu.locator("option").all_text_contents()) <= {"all", *claim.VERDICTS}
        menus.nth(1).select_option("fails")
        shown = tab.page.evaluate("[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).length")
    assert shown == sum(row["verdict"] == "fails" for row in result(1).rows) > 0


def test_several_records_stand_side_by_side():
    """The columns of 07: both judge every claim; those on which they part are named."""
    thesis, better = (
        verdicts.Column("the thesis's", result(0)),
        verdicts.Column("a better model's", result(1), "the code"),
    )
    made = verdicts.beside([thesis, better], "tbl-two", {"C7", "C27", "C1"})
    rows = cells(made.markdown())
    assert [row[0].split("**")[1] for row in rows] == ["C1", "C7", "C27"] and ":name: tbl-two" in made.markdown()
    assert rows[1][2].startswith("holds; ") and rows[1][3].startswith("*stale:* fails; ")
    assert "Verdicts part on C7 and C27." in made.caption, "a level without paper has none"
    assert made.filters == ("the thesis's", "a better model's")
    known = {row["id"] for row in result().rows}
    assert len(verdicts.beside([thesis], "tbl-one").rows) == len(known)
    assert "No two verdicts part" in verdicts.beside([thesis, thesis], "tbl-x").caption
    assert "make claims" in verdicts.beside([], "tbl-none").text


def test_of_each_dataset_one_record_is_shown(house):
    """The page's own data first; its own profile before others, else most trainings; the better model elsewhere."""
    for profile, data, count in (
        ("small", "embedded", 5), ("tiny", "embedded", 1), ("better", "embedded", 9), ("small", "photos", 5),
        ("smoke", "photos", 2),
    ):  # fmt: skip
        made_up.save(made_up.chain([{"control-longer": 0.4}] * count, profile, data))
    shown = verdicts.recorded("smoke", "photos")
    assert [(c.result.record.profile, c.result.record.data) for c in shown] == [
        ("smoke", "photos"), ("small", "embedded"),
    ]  # fmt: skip
    assert all(column.title in column.came and "**Stale**" in column.came for column in shown), "made-up code"


def test_the_terminal_shows_verdicts_reasons_and_remedies():
    out = StringIO()
    command = "hgnb train modified --profile tiny --data embedded --seed 0"
    Console(file=out, width=140).print(
        replace(result(2), remedies=[command], kept=Path("results/claims-tiny-embedded.json"))
    )
    text = out.getvalue()
    assert command in text and "results/claims-tiny-embedded.json" in text
    assert all(claim.id in text for claim in CLAIMS) and "undecided" in text
    assert summary(result(2)) in " ".join(text.split())
    levels = sum(claim.number for claim in CLAIMS)
    told = f"0 hold, {len(CLAIMS) - levels} fail, 0 undecided, {levels} need"
    assert summary(result(1)).startswith(told)


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_the_command_judges_what_is_there(trained, monkeypatch, capsys, words):
    experiment, _ = trained
    monkeypatch.setattr("hgnb.training.experiment.Experiment.open", lambda *given, **named: experiment)
    monkeypatch.setattr(sys, "argv", ["hgnb", "claims", "--profile", "smoke", "--data", experiment.data, *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    printed = capsys.readouterr().out
    if words:
        facts = json.loads(printed)
        assert facts["about"]["seeds"] == [0] and len(facts["claims"]) == len(CLAIMS)
        assert all(row["rule"] and row["verdict"] in claim.VERDICTS for row in facts["claims"])
    else:
        assert "hgnb train modified" in printed and "make claims SEEDS=5" in printed
        assert str(experiment.folder.parent) not in printed.split("What is missing")[0], "no path but in the commands"

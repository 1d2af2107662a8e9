"""The ledger as the page, the terminal and JSON show it."""

import json
import re
import sys
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import made_up
import pytest
from browser import chromium, opened
from rich.console import Console
from test_claims import BY_ID, CASES, case

from figures import verdicts
from hgnb import cli, records
from hgnb.claims import claim, collect
from hgnb.claims.claim import NEEDS
from hgnb.claims.ledger import CLAIMS, Result, decided, summary
from hgnb_book import rules

LEVEL = "`paper` on the whole of COCO"


def result(at=0, seeds=(0,), shut=None):
    """A ledger in which each claim holds (0), fails (1) or is undecided (2), unless it is a level or a gate is `shut`:
    reasons by claim."""
    made = []
    for name, numbers in CASES.items():
        shown = next(n for n in (numbers[at], *numbers) if n is not None)
        made.append(case(name, shown, (shut or {}).get(name, LEVEL if BY_ID[name].number else "")))
    return Result([row.facts() for row in decided(made)], made_up.chain([{"hourglass": 0.4}] * len(seeds)))


def cells(markdown):
    return [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("| **")]


def test_every_claim_stands_in_the_ledger_and_on_the_page_of_rules():
    """Once, with its verdict on each dataset, its figures, and links to its rule and back."""
    photographs = result(0)
    photographs.record.about["data"] = "coco-val2017"
    shut = {"C7": "5 seeds, 1 is there: `make claims SEEDS=5`", "C5": "other data: nobody sits"}
    columns = [
        verdicts.Column("photos", photographs, "the code changed"),
        verdicts.Column("drawn", result(1, shut=shut)),
    ]
    page = verdicts.ledger(columns).text
    entries = {one.split(")=", 1)[0]: one for one in page.split("(claim-")[1:]}
    assert list(entries).count("c7") == 1 and {name.upper() for name in entries} == {claim.id for claim in CLAIMS}
    rules_told = rules.page()
    for one in CLAIMS:
        name = one.id.lower()
        entry = entries[name]
        told = re.findall(r'<span class="verdict (\w+)">. ', entry)
        shown = columns[:1] if one.id in verdicts.BARE else columns
        assert told == [column.verdict(one.id) for column in shown]
        assert f"{{ref}}`Rule and code <rule-{name}>`" in entry and one.sentence in entry and "Stale" in entry
        assert all(f"{{numref}}`{label}`" in entry for label in one.shown)
        assert f"(rule-{name})=" in rules_told and one.rule in rules_told and f"<claim-{name}>" in rules_told
        assert f"def {one.judge.__name__}(" in rules_told
        folds = re.findall(r"dropdown\} \d+ wait for (.*)", page[: page.index(f"(claim-{name})=")])
        for row in (column.row(one.id) for column in shown):
            if row["verdict"] == NEEDS:
                why = verdicts.waits(row["reason"])
                assert f"*It takes {why}.*" in entry or [why] == folds[-1:], "a reader sees what it waits for"
    assert "*It takes 5 trained networks" in entries["c7"] and "*It takes other data: nobody sits.*" in entries["c5"]
    assert "It takes" not in entries["c6"], "the heading above says it"
    assert page.startswith("**Decided**") and page.index("(claim-c7)=") < page.index("{dropdown}")
    assert re.search(r"\{dropdown\} \d+ wait for the thesis's own settings", page) and "drawn people" in page


def test_counts_and_a_chapters_end_say_what_the_ledgers_say(house):
    """Claims that annotations judge are counted apart, and photographs come before drawn people."""
    for data in ("embedded", "coco-val2017"):
        made_up.save(made_up.chain([{"hourglass": 0.4}] * 2, "small", data))
    columns = verdicts.recorded("small", "embedded")
    assert [column.people for column in columns] == ["COCO's photographs", "drawn people"]
    assert list(verdicts.tally(columns))[2:] == [verdicts.SECOND, verdicts.ANNOTATIONS]
    assert sum(sum(count.values()) for count, _ in verdicts.tally(columns[:1]).values()) == len(verdicts.CLAIMS)
    for (_, (count, networks)), column in zip(list(verdicts.tally(columns).items())[:2], columns, strict=True):
        kept = Counter(
            row["verdict"] for row in column.result.rows if row["id"][0] == "C" and row["id"] not in verdicts.BARE
        )
        assert count == kept and networks == "2 networks"
    assert all(
        f"{sign} {verdicts.MANY[verdict]}<" in verdicts.counts(columns).text for verdict, sign in verdicts.SIGNS.items()
    )
    end = verdicts.ending("small", "embedded", "C7 C22")
    assert "{ref}`C7 <claim-c7>`" in end.text and "not judged yet</span> on COCO's photographs, <span" in end.text
    assert end.text.count("on COCO's annotations alone") == 1
    assert end._repr_mimebundle_()[1]["hgnb"]["claims"]["C7"] == ["fig-skip-histograms"]


def test_a_ledger_that_is_kept_is_read_and_another_is_judged(house):
    made_up.save(made_up.chain([{"hourglass": 0.4}], "small", "photos"))
    record = records.find("chain", "small", "photos")
    there = collect.kept(record).keep()
    held = json.loads(there.place.read_text(encoding="utf8"))
    held["claims"][0]["sentence"] = "As it is kept."
    there.place.write_text(json.dumps(held), encoding="utf8")
    assert collect.kept(record).rows[0]["sentence"] == "As it is kept."
    held["claims"][0]["rule"] = "Another rule."
    there.place.write_text(json.dumps(held), encoding="utf8")
    assert collect.kept(record).rows == there.rows


def test_every_column_of_verdicts_filters_the_page(tmp_path):
    """In a browser: what was measured stands behind a verdict in a record's cell and doesn't part it from others."""
    columns = [verdicts.Column("ours", result(0)), verdicts.Column("small on lspet", result(1, seeds=range(5)))]
    made = verdicts.beside(columns, "tbl-two")
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
    assert rows[0][2].startswith("needs; the thesis's own settings on all of COCO, "), "with what it waits for"
    assert made.filters == ("the thesis's", "a better model's")
    known = {row["id"] for row in result().rows}
    assert len(verdicts.beside([thesis], "tbl-one").rows) == len(known)
    assert "No two verdicts part" in verdicts.beside([thesis, thesis], "tbl-x").caption
    assert "make claims" in verdicts.beside([], "tbl-none").text


def test_of_each_dataset_one_record_is_shown(house):
    """The page's own data first, then photographs; its own profile before others; the better model elsewhere."""
    for profile, data, count in (
        ("small", "embedded", 5), ("tiny", "embedded", 1), ("better", "embedded", 9), ("small", "photos", 5),
        ("smoke", "photos", 2), ("better", "others", 2),
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

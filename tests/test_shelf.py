"""The finished book reaches its reader: served, packed for an archive, cited, and made by a workflow of one's own."""

import hashlib
import json
import re
import threading
import tomllib
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
import typer.main
import yaml

from hgnb.errors import InputError
from hgnb_book import cli, shelf
from hgnb_book.edition import PUBLISHED, Edition

REPOSITORY = Path(__file__).resolve().parents[1]
WORKFLOW = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture
def root(tmp_path):
    """A repository with a book on a person's own photographs, its stamps and a run."""
    edition = Edition("smoke", str(tmp_path / "photos"), 0)
    (tmp_path / "photos").mkdir()
    run = tmp_path / "data/runs/hourglass-smoke-photos-s0-1"
    held = {
        tmp_path / "site/index.html": "<h1>The book</h1>",
        tmp_path / "site" / PUBLISHED: f"{edition}\n",
        tmp_path / "results/chain/record.json": "{}",
        tmp_path / "LICENSE": "MIT",
        run / "manifest.json": json.dumps({"edition": {"data": f"{tmp_path}/photos"}}),
        run / "best-val_pck.safetensors": "weights",
        run / "last.ckpt": "large, and of no use to a reader",
        edition.stamps(tmp_path) / "hourglass.json": json.dumps({"run": run.name}),
        edition.stamps(tmp_path) / ".edition.json": json.dumps({"profile": "smoke", "data": edition.data, "seed": 0}),
    }
    for file, text in held.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_the_archive_holds_what_the_book_rests_on(root):
    file, digest = shelf.pack(root)
    assert file.name.startswith("hgnb-") and digest == hashlib.sha256(file.read_bytes()).hexdigest()
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    sums = dict(reversed(line.split("  ")) for line in held.pop(shelf.SUMS).decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
    run = "runs/hourglass-smoke-photos-s0-1"
    assert held.keys() > {"site/index.html", "results/chain/record.json", "LICENSE", f"{run}/best-val_pck.safetensors"}
    assert not [name for name in held if name.endswith(".ckpt")]
    assert str(root) not in "".join(content.decode() for content in held.values())
    file.unlink()
    assert shelf.pack(root)[1] == digest, "the same book makes the same file"


def test_only_a_book_can_be_packed_or_opened(root):
    (root / "site" / PUBLISHED).write_text("paper on coco, seed 1\n")
    with pytest.raises(InputError, match="hgnb book"):
        shelf.pack(root)
    with pytest.raises(InputError, match="no book"):
        shelf.serve(root / "results")


def test_the_last_book_is_served_to_this_machine(root, monkeypatch, capsys):
    shown, readers = [], []

    def open_page(address: str) -> None:
        readers.append(threading.Thread(target=lambda: shown.append(urlopen(address, timeout=30).read())))
        readers[0].start()

    def stop_soon(server) -> None:
        server.handle_request()  # in a thread of its own
        readers[0].join(30)
        raise KeyboardInterrupt

    monkeypatch.setenv("HGNB_HOME", str(root))
    monkeypatch.setattr(shelf.webbrowser, "open", open_page)
    monkeypatch.setattr(shelf.ThreadingHTTPServer, "serve_forever", stop_soon)
    shelf.serve()
    assert shown == [b"<h1>The book</h1>"] and "http://127.0.0.1:" in capsys.readouterr().out


def verbs() -> dict[str, set[str]]:
    """The options of every verb of the command, as 'data fetch'."""
    command = typer.main.get_command(cli.app)
    groups = [(f"{name} ", one) for name, one in command.commands.items() if hasattr(one, "commands")]
    found = {before + name: one for before, group in [("", command), *groups] for name, one in group.commands.items()}
    return {name: {option for param in one.params for option in param.opts} for name, one in found.items()}


@pytest.mark.parametrize("page", ["README.md", "data/README.md"])
def test_the_workflow_on_the_page_can_run(page):
    """Verbs, options, extras and versions that exist; the README's takes a dozen lines."""
    (text,) = WORKFLOW.findall((REPOSITORY / page).read_text(encoding="utf8"))
    assert len(text.splitlines()) <= 16
    steps = yaml.safe_load(text)["jobs"]["book"]["steps"]
    known, pinned = verbs(), (REPOSITORY / "constraints.txt").read_text().splitlines()
    commands = [part.split("#")[0].split() for s in steps if "run" in s for part in s["run"].split("&&")]
    for words in [words[1:] for words in commands if words[0] == "hgnb"]:
        name = next(" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known)
        assert {word for word in words if word.startswith("--")} <= known[name]
    (pip,) = [words for words in commands if words[0] == "pip"]
    assert next(word for word in pip if word.startswith("torch==")) in pinned
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.search(r"\[(.*)]", pip[-1])[1].split(",")) <= extras.keys()
    assert [s for s in steps if "upload-artifact" in s.get("uses", "")]


def test_the_citation_names_both_works():
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf8"))
    assert cited["authors"] == [{"name": "The hgnb authors"}]
    (thesis,) = [one for one in cited["references"] if one["type"] == "thesis"]
    assert thesis["authors"] == [{"family-names": "Andersen", "given-names": "André Oskar"}]
    assert cited["version"] == tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

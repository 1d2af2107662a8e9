"""The command: what a person mistypes is answered in one sentence, with exit status 1 and no traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hgnb.cli import _paired
from hgnb.errors import InputError
from hgnb.home import located
from hgnb.training.experiment import Experiment
from hgnb_book import cli
from hgnb_book.edition import resolved

REPOSITORY = Path(__file__).resolve().parents[1]


def hgnb(monkeypatch, capsys, *words):
    """Exit status and what was printed on each stream."""
    monkeypatch.setattr(sys, "argv", ["hgnb", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return stopped.value.code or 0, printed.out, printed.err


def test_a_pipe_of_few_letters_takes_what_it_can():
    """Windows' pipes have no ✓ and no ×; ASCII has less."""
    words = [sys.executable, "-m", "hgnb.cli", "profile", "show", "paper"]
    told = subprocess.run(words, cwd=REPOSITORY, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert told.returncode == 0 and b"?" in told.stdout and told.stdout.isascii()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bok"], "bok"),
        (["book", "--profil", "tiny"], "--profile"),
        (["book", "--cores", "many"], "--cores"),
        (["run", "no.ipynb", "-o", "x.ipynb"], "no.ipynb"),
        (["run", "no.ipynb", "-o", "x.ipynb", "-p", "seed"], "seed"),
    ],
)
def test_mistakes_are_one_sentence(monkeypatch, capsys, tmp_path, words, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = hgnb(monkeypatch, capsys, *words)
    assert status == 1
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not out
    assert not list(tmp_path.iterdir())


def test_parameters_come_in_pairs_as_papermill_takes_them():
    words = ["run", "a.ipynb", "-p", "seed", "1", "-p", "data", "a=b c", "-p", "profile=tiny"]
    assert _paired(words) == ["run", "a.ipynb", "-p", "seed=1", "-p", "data=a=b c", "-p", "profile=tiny"]


def test_build_gets_what_was_asked(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("hgnb_book.build.build", lambda *given: asked.append(given))
    words = ["book", "--profile", "smoke", "--data", "my photos", "--seed", "2", "--cores", "1"]
    assert hgnb(monkeypatch, capsys, *words)[0] == 0
    assert asked == [("smoke", "my photos", 2, 1, False)]


def test_make_refuses_a_misspelt_variable():
    done = subprocess.run(["make", "help", "PROFIL=smoke"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode
    assert "Unknown variable 'PROFIL': the nearest one is 'PROFILE'" in done.stderr


def test_make_help_lists_the_verbs():
    done = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for verb in ("book", "test", "bench", "lab", "lint", "clean", "help"):
        assert f"make {verb} " in done.stdout


def test_make_passes_paths_with_spaces():
    words = ["make", "--dry-run", "book", "DATA=/my photos/x", "PROFILE=smoke"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert '--data "/my photos/x"' in done.stdout


def test_a_relative_path_is_looked_for_here_and_then_in_the_repository(house, tmp_path, monkeypatch):
    """One rule for every command, notebook and folder."""
    away = tmp_path / "notebooks"
    (tmp_path / "data/mine").mkdir(parents=True)
    (away / "data/mine").mkdir(parents=True)
    monkeypatch.chdir(away)
    assert located("../data/mine") == tmp_path / "data/mine" == Path(resolved("../data/mine"))
    assert located("data/mine") == away / "data/mine" == Experiment.open("smoke", "data/mine").folder
    shutil.rmtree(away / "data")
    assert located("data/mine") == tmp_path / "data/mine" == Experiment.open("smoke", "data/mine").folder
    with pytest.raises(InputError, match=f"no 'no/where': it was looked for from '{away}' and from .* '{tmp_path}'"):
        resolved("no/where")

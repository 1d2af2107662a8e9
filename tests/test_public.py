"""The public face of the library: what `hgnb` offers by name, lazily, each with an example that runs."""

import doctest
import subprocess
import sys

import numpy as np
import pytest
import torch

import hgnb
from hgnb.home import home
from hgnb_book import reference


@pytest.mark.parametrize("name", hgnb.PUBLIC)
def test_every_name_has_an_example_that_comes_true(name):
    thing = getattr(hgnb, name)
    given = {one: getattr(hgnb, one) for one in hgnb.PUBLIC} | {"torch": torch, "np": np, "home": home}
    flags = doctest.ELLIPSIS
    (test,) = doctest.DocTestFinder(recurse=False).find(thing, name, globs=given)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert test.examples and not said, "".join(said)


def test_nothing_is_loaded_before_it_is_asked_for():
    code = "import sys, hgnb; dir(hgnb); print([m for m in sys.modules if m.startswith(('hgnb.', 'torch', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hgnb.nothing  # noqa: B018


def test_the_page_of_reference_holds_every_name():
    page = reference.page()
    assert [line[4:-1] for line in page.splitlines() if line.startswith("## `")] == list(hgnb.PUBLIC)
    assert "```python\n>>> network = StackedHourglass" in page

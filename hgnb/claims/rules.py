"""What all claims share: verdicts, families, margins, and parts of a rule that no test of hgnb.stats covers.

Limits stand here or in a claim's own module, each with its reason, and were written before the runs that they judge.
"""

from collections.abc import Sequence

from hgnb.stats import Test
from hgnb.stats.decisions import ALPHA, FAILS, HOLDS, UNDECIDED

__all__ = ["ALPHA", "FAILS", "HOLDS", "NEEDS", "UNDECIDED", "VERDICTS", "always"]

NEEDS = "needs"
VERDICTS = (HOLDS, FAILS, UNDECIDED, NEEDS)
FAMILIES = ("training", "skips", "components", "clusters", "improvement", "lighter")  # Holm's, one by one
SEEDS = 5  # trainings that a claim about networks needs
PCK_WIDENING = 0.02  # a level agrees with the source's within the interval, widened by this much PCK
RELATIVE_WIDENING = 0.10  # or by this share of the source's value


def always(flags: Sequence[bool]) -> Test:
    """A part that is a fact of each seed's run: true of all, of none, or undecided."""
    return Test(0.0 if all(flags) else 1.0, 1.0 if any(flags) else 0.0)

"""Wording that figures and notes share: numbers, verdicts, why a figure is empty. 03_interpretation, 05_discussion."""

import matplotlib.pyplot as plt
import numpy as np

from figures.plate import Plate
from hgnb.drawing.style import INK, style
from hgnb.stats import Estimate

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(value: float, digits: int = 0) -> str:
    """'37 %', or a dash."""
    return f"{number(100 * float(value), digits)} %" if np.isfinite(value) else "–"


def number(value: float, digits: int = 2) -> str:
    """'0.43', or a dash."""
    value = round(value, digits) + 0.0  # no minus before a zero
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def signed(value: float, digits: int = 3) -> str:
    """'+0.034' or '−0.034', or a dash."""
    text = number(value, digits)
    return f"+{text}" if round(value, digits) > 0 else text


def small(value: float) -> str:
    """'5.15·10⁻⁵'."""
    digits, power = f"{value:.2e}".split("e")
    return f"{digits}·10{str(int(power)).translate(RAISED)}"


def precision(name: str) -> str:
    """'float32' for what Lightning calls '32-true'."""
    return {"32-true": "float32", "bf16-mixed": "bfloat16"}.get(name, name)


def verdict(interval: Estimate | Estimate, positive: str, negative: str, neither: str) -> str:
    """Which of three words an interval of a difference deserves."""
    if interval.low > 0:
        return positive
    return negative if interval.high < 0 else neither


def nothing(words: str, caption: str, alt: str) -> Plate:
    """A small figure that says why there is nothing to draw."""
    with style():
        figure, ax = plt.subplots(figsize=(6, 1.2))
        ax.text(0.5, 0.5, words, ha="center", va="center", color=INK, wrap=True)
        ax.axis("off")
    return Plate(figure, caption, alt)


def cited(source: str) -> str:
    """'report, case 2': what the code calls source 004 is the report to readers."""
    return source.replace("004", "report")


def listed(words: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)

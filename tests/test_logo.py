"""The book's mark: a sound SVG, seen on light and on dark pages."""

from xml.etree import ElementTree

import numpy as np
import pytest

from hgnb_book import logo


def luminance(colour: str) -> float:
    """Relative luminance of a hex colour, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return float(np.dot([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts],
                        [0.2126, 0.7152, 0.0722]))  # fmt: skip


@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])  # the theme's two backgrounds
@pytest.mark.parametrize("ink", [logo.GLASS, logo.BODY])
def test_it_is_seen_on_light_and_dark(ink, page):
    brighter, darker = sorted((luminance(ink), luminance(page)), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 3


@pytest.mark.parametrize("small", [False, True])
def test_it_is_symmetric_and_lies_in_its_square(small):
    root = ElementTree.fromstring(logo.logo(small=small))
    glass = root.findall("{http://www.w3.org/2000/svg}path")[0].get("d")
    points = np.array([pair.split() for pair in glass[1:-1].split("L")], dtype=float)
    assert len(points) == 2 * len(logo.SIDES)
    assert np.allclose(points[:, 0] + points[::-1, 0], logo.SIDE)
    assert points.min() > 5 and points.max() < logo.SIDE - 5
    widths = points[: len(logo.SIDES), 0] - logo.SIDE / 2
    assert np.argmin(widths) == 4 and np.allclose(widths, widths[::-1])

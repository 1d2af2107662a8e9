"""The book's mark: an hourglass as wide at each level as the network's maps, and a person at its waist.

It stands on light and on dark pages and is drawn as SVG, so nothing here needs matplotlib.
"""

SIDE = 120  # of the square that it is drawn in
SIDES = (64, 32, 16, 8, 4, 8, 16, 32, 64)  # of the maps of a four-level hourglass, in pixels
TOP, BOTTOM, WIDEST = 10, 110, 47  # where it begins and ends, and its largest half-width
# Between the palette's light and dark ends: 3:1 or more on white and on the dark theme's background.
GLASS, BODY = "#3d86bd", "#d5672a"
# A person with raised arms about the waist; the head is a disc.
NECK, HIP, HEAD = (60, 51), (60, 71), (60, 35)
LEGS = ((NECK, HIP), (HIP, (47, 95)), (HIP, (73, 95)))
ARMS = ((NECK, (43, 36)), (NECK, (77, 36)))


def logo(*, small: bool = False) -> str:
    """The mark as an SVG file; `small` for an icon of few pixels: thicker lines, a bigger head, no arms."""
    line, head = (8, 12) if small else (5, 8.5)
    bones = "".join(f"M{a} {b}L{c} {d}" for (a, b), (c, d) in (LEGS if small else LEGS + ARMS))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" role="img"'
        ' aria-label="An hourglass with a person at its waist" stroke-linejoin="round" stroke-linecap="round">'
        f'<path d="{_glass()}" fill="{GLASS}" fill-opacity=".22" stroke="{GLASS}" stroke-width="{line}"/>'
        f'<path d="{bones}" fill="none" stroke="{BODY}" stroke-width="{line + 1}"/>'
        f'<circle cx="{HEAD[0]}" cy="{HEAD[1]}" r="{head}" fill="{BODY}"/></svg>\n'
    )


def _glass() -> str:
    """The outline: down the right side level by level, and up the left."""
    step = (BOTTOM - TOP) / (len(SIDES) - 1)
    right = [(SIDE / 2 + WIDEST * (side / max(SIDES)) ** 0.65, TOP + i * step) for i, side in enumerate(SIDES)]
    left = [(SIDE - x, y) for x, y in reversed(right)]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in right + left) + "Z"

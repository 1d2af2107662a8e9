"""An evaluation as a terminal shows it."""

from collections.abc import Iterator

from rich.table import Table

from hgnb.metrics.shares import Share


def sheet(evaluation) -> Iterator:
    """The tables of an Evaluation and the sentences that belong to them."""
    e = evaluation
    yield f"[bold]{e.weights}[/bold]: {e.split} split of {e.data}, {e.persons:,} persons in {e.images:,} images"
    interval = e.interval.text(3) if e.pck.counted else "–"
    yield f"PCK {interval} over {e.pck.counted:,} {e.selection.text()}; 95 % interval over photographs"
    reach = e.config.normaliser * e.config.radius
    title = f"PCK: nearer than {reach:g} of the map's side"
    table = Table("keypoints", "PCK", "counted", title_justify="left", title=title)
    for part in (e.by_visibility, e.by_group, e.by_joint):
        for name, value in part.items():
            table.add_row(name.replace("_", " "), *_cells(value))
        table.add_section()
    mean, persons = e.by_person
    table.add_row("mean over persons", "–" if mean is None else f"{mean:.3f}", f"{persons:,} persons")
    yield table
    radii = Table(*(f"{r:g}" for r in e.over_radii), title="PCK by radius, in normalisers", title_justify="left")
    radii.add_row(*(value.text() for value in e.over_radii.values()))
    yield radii
    yield _standard(e)
    if e.pck.counted == 0 or any(not s.counted for d in (e.by_visibility, e.by_group, e.by_joint) for s in d.values()):
        yield "A dash: no such keypoint is counted."
    yield from e.notes


def _cells(value: Share) -> tuple[str, str]:
    return value.text(), f"{value.counted:,}"


def _standard(e) -> Table:
    """PCKh and OKS; where the data have nothing for a measure its row is missing and a note says why."""
    table = Table("standard measure", "value", "over", title_justify="left")
    if e.heads:
        table.add_row("PCKh@0.5", *[e.pckh.text(), f"{e.pckh.counted:,} keypoints of {e.heads:,} persons with a head"])
    if e.oks[1]:
        table.add_row("mean OKS", f"{e.oks[0]:.3f}", f"{e.oks[1]:,} persons")
    for name in ("AP", "AP50", "AP75", "AR"):
        if e.precision[name] is not None:
            table.add_row(f"OKS {name}", f"{e.precision[name]:.3f}", "boxes given")
    return table

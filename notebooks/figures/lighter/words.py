"""Words that the tables and figures of chapter 06 share: titles, percentages, where and how something was measured."""

from collections.abc import Sequence

from hgnb.metrics.keypoints_found import Share
from hgnb.training.networks import get
from hgnb.training.observations import Outcomes
from hgnb.training.speed import Times

DASH = "–"


def small(name: str) -> str:
    """A case's title within a sentence."""
    title = get(name).title
    return title if title.startswith(("Newell", "Adam")) else title[:1].lower() + title[1:]


def pooled(shares: Sequence[Share]) -> Share:
    """All keypoints of several shares together."""
    return Share(sum(s.found for s in shares), sum(s.counted for s in shares))


def percent(share: Share) -> str:
    """'43.3', or a dash."""
    return DASH if share.value is None else f"{100 * share.value:.1f}"


def measure(sweep: Outcomes | None) -> str:
    """The heading of our own accuracies."""
    return f"Here: {sweep.people.measure if sweep else 'PCKh'}, %"


def turns(times: Times) -> str:
    """How often everything was timed."""
    return "one turn" if times.turns == 1 else f"medians of {times.turns} turns"


def threads(times: Times) -> str:
    """On how many threads."""
    return "one thread" if times.threads == 1 else f"{times.threads} threads"


def seeds(sweep: Outcomes) -> str:
    """With how many seeds a sweep was made; some of its networks may have fewer."""
    count = len(sweep.seeds)
    return "one seed" if count == 1 else f"up to {count} seeds"


def said(sweep: Outcomes | None, long: bool = False, dash: str = "not trained") -> str:
    """The end of a caption: at what size the accuracies were trained, or that there are none; `dash`: what it stands
    for beside what the report doesn't give, nothing where the table has no dash."""
    if sweep is None:
        return ". No sweep of trainings is recorded for this profile and data, so there is no accuracy of ours."
    size, training, persons = sweep.section("lighter"), sweep.section("lighter_training"), sweep.people.counts
    count = size["long_epochs"] if long else training["epochs"]
    epochs = "one epoch" if count == 1 else f"{count} epochs"
    over = "images" if len(sweep.seeds) == 1 else "seeds and images"
    return (
        f". Accuracy here: {sweep.people.measure} of {persons['test']:,} test persons of {sweep.data}, networks "
        f"with every width divided by {size['width_divisor']} and the number of hourglasses by "
        f"{size['stack_divisor']}, crops of {size['side']} pixels, {epochs} of {persons['train']:,} "
        "persons"
        + (f"; in brackets 95 % intervals over {over}. A dash: {dash}, or not in the report." if dash else ".")
    )

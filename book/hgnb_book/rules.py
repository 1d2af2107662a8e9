"""The page of rules: for each claim how it is decided, in words and as the code that decides it."""

import inspect
from collections.abc import Callable

from hgnb.claims.claim import Claim
from hgnb.claims.ledger import CLAIMS


def page() -> str:
    """Markdown: a place for each claim, which the ledger and the figures' captions link to."""
    return "\n\n".join(_entry(claim) for claim in CLAIMS) + "\n"


def _entry(claim: Claim) -> str:
    name = claim.id.lower()
    figures = ", ".join(f"{{numref}}`{label}`" for label in claim.shown)
    gates = " ".join(" ".join(_words(gate).split()) for gate in claim.gates)
    code = "\n\n\n".join(_source(part) for part in _parts(claim))
    return "\n".join([
        f"(rule-{name})=", f"## {claim.id}",
        f"{claim.sentence} ({figures}; {{ref}}`its row of the ledger <claim-{name}>`)",
        "", claim.rule, "", *([f"Before it is judged: {gates}", ""] if gates else []),
        ":::{dropdown} The code", f"```python\n{code}\n```", f"At home in `{claim.judge.__module__}`.", ":::",
    ])  # fmt: skip


def _words(gate: Callable) -> str:
    """What a gate says of itself; one that is made to measure, what its maker says."""
    return gate.__doc__ or gate.__globals__[gate.__qualname__.partition(".")[0]].__doc__ or ""


def _parts(claim: Claim) -> list[Callable]:
    """The functions that gather and judge a claim, and those of the same modules that they call."""
    found: list[Callable] = []
    waiting = [getattr(part, "func", part) for part in (claim.judge, claim.gather)]
    while waiting:
        part = waiting.pop()
        if inspect.isfunction(part) and part not in found:
            found.append(part)
            called = (part.__globals__.get(name) for name in part.__code__.co_names)
            waiting += [one for one in called if getattr(one, "__module__", None) == part.__module__]
    return found


def _source(part: Callable) -> str:
    """A function's source without what enters it into the ledger."""
    text = inspect.getsource(part)
    return text[text.index("def ") :].strip() if "def " in text else text.strip()

"""JSON that carries a checksum of itself: a file that was cut off or changed is told from a whole one."""

import hashlib
import json
from typing import Any

KEY = "seal"


def sealed(content: dict[str, Any]) -> str:
    """The content as JSON, with its seal behind it."""
    held = json.loads(json.dumps(content))  # as a reader will see it
    return json.dumps({**held, KEY: _digest(held)}, indent=1)


def opened(text: str | bytes) -> dict[str, Any]:
    """The content of a sealed text, without the seal; ValueError where it is none, or not as it was sealed."""
    held = json.loads(text)
    if not isinstance(held, dict) or held.pop(KEY, None) != _digest(held):
        raise ValueError("it was changed or damaged since it was written")
    return held


def _digest(held: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]

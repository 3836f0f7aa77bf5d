"""Bodies as examples: data beside the endpoints, all of one home, so that they fit together."""

import json
from importlib.resources import files
from typing import Any


def examples(name: str) -> dict[str, Any]:
    """Return the bodies in `endpoints/<name>.json`, by what each shows."""
    text = (files("energia.web.endpoints") / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found

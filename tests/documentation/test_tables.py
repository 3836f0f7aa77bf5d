"""The reference is what the code says."""

import pytest

from energia.plugins.registration import HOOKS
from tests.documentation.tables import FOLDER, drawn

DRAWN = drawn()


@pytest.mark.parametrize("name", DRAWN)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    """`python -m tests.documentation.tables` draws it anew."""
    assert (FOLDER / name).read_text(encoding="utf-8") == DRAWN[name]


def test_it_has_what_is_looked_up() -> None:
    """A setting with its variable, a fault with its message, hooks, fields of charges."""
    setting = "| `port` | `ENERGIA_SERVER__PORT` | whole number from 0 to 65535 | `8080` |"

    assert setting in DRAWN["settings.md"]
    assert "| `token` | `ENERGIA_HEALTH__TOKEN` | secret |  |" in DRAWN["settings.md"]
    assert "`ENERGIA_PLUGINS__TRACES_OPENTELEMETRY__RATIO`" in DRAWN["settings.md"]
    assert (
        "| `incomplete_usage` | 422 | Readings are missing in the window. |" in DRAWN["errors.md"]
    )
    assert "| `empty_range` | to must be after from |" in DRAWN["errors.md"]
    assert all(f"\n## {hook}\n" in DRAWN["hooks.md"] for hook in HOOKS)
    assert "| `rate` | decimal |" in DRAWN["charge-fields.md"]

"""Who has done something, as pages say it."""

import pytest

from energia_plugins.console.callers import caller
from energia_plugins.console.words import words


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"caller": "anybody", "caller_name": "anybody"}, "sem token"),
        ({"caller": "system", "caller_name": None}, "o próprio serviço"),
        ({"caller": "1x9685c62aaf", "caller_name": "Maria"}, "Maria"),
        ({"caller": "command:ana", "caller_name": None}, "command:ana"),
        ({"caller": None, "caller_name": None}, "não se sabe"),
    ],
)
def test_who_has_done_something(entry: dict[str, str | None], said: str) -> None:
    """A person is called by their name; nobody in particular is called so in both languages."""
    assert caller(words("pt-BR"), entry) == said

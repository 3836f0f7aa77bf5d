"""Embedded servers of a test's own, to be killed."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from energia.db.embedded import Embedded

_NUMBERS = count(1)


@pytest.fixture
def embedded(open_folder: Path) -> Iterator[Callable[[], Embedded]]:
    """Give users of one embedded server, which nobody has started yet; stopped at the end."""
    folder, users = open_folder / f"own_{next(_NUMBERS)}", list[Embedded]()

    def user() -> Embedded:
        users.append(Embedded(folder))
        return users[-1]

    yield user
    for each in users:
        each.stop()

"""Fixtures for the tests of plugins; pytest finds them by the entry point in `pytest11`.

Only pytest is imported here: whoever asks for none of the fixtures pays for nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from energia.db.embedded import Embedded
    from energia.metering.series import Series
    from energia.pricing.charges import Charge
    from energia.testing.database import ScratchDatabase
    from energia.testing.pricing import Pricing
    from energia.testing.usage import ClockChange

_YEAR = ("2025-01-01", "2026-01-01")
_DAY = ("2026-03-02", "2026-03-03")


@pytest.fixture(scope="session")
def energia_charges() -> "Sequence[type[Charge]]":
    """Kinds of charge that no installed plugin offers; override it to name yours."""
    return ()


@pytest.fixture(scope="module")
def energia_price(energia_charges: "Sequence[type[Charge]]") -> "Pricing":
    """Prices charges over usage: `energia_price({"kind": ...}, [1, 2, "0.5"])`."""
    from energia.testing.pricing import Pricing

    return Pricing.of(*energia_charges)


@pytest.fixture(scope="session")
def energia_day() -> "Series":
    """Quarter-hours of a household on Monday, 2 March 2026 (UTC)."""
    return _household(*_DAY)


@pytest.fixture(scope="session")
def energia_year() -> "Series":
    """Quarter-hours of a household in 2025 (UTC)."""
    return _household(*_YEAR)


@pytest.fixture(scope="session")
def energia_server() -> "Iterator[Embedded]":
    """Run a PostgreSQL server from when it is first needed; it takes `energia[embedded]`."""
    from energia.testing.database import server

    with server() as embedded:
        yield embedded


@pytest.fixture
def energia_database(energia_server: "Embedded") -> "Iterator[ScratchDatabase]":
    """Give a database with the tables of the core, for a test of migrations."""
    from energia.testing.database import scratch

    with scratch(energia_server) as database:
        yield database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `energia_clock_change` for each of the days that are not 24 hours."""
    if "energia_clock_change" in metafunc.fixturenames:
        from energia.testing.usage import CLOCK_CHANGES

        metafunc.parametrize("energia_clock_change", CLOCK_CHANGES, ids=_named)


def _named(change: "ClockChange") -> str:
    return f"{change.zone}-{change.day}"


def _household(first: str, last: str) -> "Series":
    from energia.testing.usage import household, instant, series

    return series(household, "import", instant(first), instant(last), 900)

"""A short version of `make steady`, and whether it would see a leak."""

import pytest

from tests.e2e.load import Answered, Load
from tests.rehearsals.steady import Sample, faults, growth, leaked, slower, steady


# Ten seconds: a leak of a connection or a task for each request shows by the hundred.
@pytest.mark.long
async def test_connections_and_tasks_do_not_become_more(database: str) -> None:
    """A service that was loaded for a while holds no more at rest than it did before."""
    load, samples = await steady(database, seconds=10, rate=10)

    # Memory is still warming up after so short a time: `make steady` and `make soak` look at it.
    assert [fault for fault in faults(load, samples) if " more " in fault] == []
    assert load.said().total() >= 80
    assert all(one.tasks > 0 and one.descriptors > 0 for one in samples)


def test_growth_is_a_slope_once_warm() -> None:
    """What memory took while it warmed up does not count; what it takes from then on does."""
    warm = [Sample(10.0 * at, min(60 + 5 * at, 75), 20, 10) for at in range(40)]
    leaking = [Sample(10.0 * at, 60 + at / 3, 20, 10) for at in range(40)]

    assert abs(growth(warm)) < 0.01
    assert round(growth(leaking), 6) == 2


def test_leaks_and_slowness_are_named() -> None:
    """More descriptors and tasks, slower answers and failures are faults, each by its name."""
    load = Load("http://127.0.0.1:1", 1)
    load.answered += [Answered(at, 0.01 if at < 200 else 0.1, "GET", "200") for at in range(300)]
    load.answered.append(Answered(300, 0.1, "GET", "503"))
    samples = [Sample(float(at), 60, 20 + at, 10 + at) for at in range(90)]

    assert leaked([one.tasks for one in samples]) == 89
    assert slower([one.seconds for one in load.answered]) == 10
    assert faults(load, samples) == [
        "failed: {'GET 503': 1}",
        *("89 more descriptors", "89 more tasks"),
        "the slowest answers are 10.0 times slower",
    ]

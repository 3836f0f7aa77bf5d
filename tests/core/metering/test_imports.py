"""Imports as a whole: what is kept of them, and who hears of them."""

import pytest

from energia.db.pool import Tenant
from energia.errors import NotFound
from energia.metering import imports
from tests.core.metering.setting import START, Heard, meter, post, series


async def test_imports_are_kept(tenant: Tenant) -> None:
    """What became of imports is listed, the newest first."""
    await meter(tenant)
    first = await post(tenant, series([1, None], START))
    second = await post(tenant, series(["x"], START), skip=True)

    listed = await imports.list_imports(tenant, None, 10)
    kept = await imports.get_import(tenant, second.import_)

    assert [one.import_ for one in listed] == [second.import_, first.import_]
    assert await imports.list_imports(tenant, second.import_, 10) == listed[1:]
    assert (listed[1].created, listed[1].missing, listed[1].format) == (1, 1, "json")
    assert [fault.code for fault in kept.problems] == ["not_a_number"]
    with pytest.raises(NotFound):
        await imports.get_import(tenant, "imp_x")


async def test_observers_hear_of_it_after_the_commit(tenant: Tenant) -> None:
    """Observers are told the counts and the meters of what was stored."""
    await meter(tenant)
    heard = Heard()

    outcome = await post(tenant, series([1, None]), heard=heard)

    assert [(event.number, event.format, event.meters) for event in heard.events] == [
        (outcome.import_, "json", ("m",))
    ]
    assert heard.events[0].counts.created == 1

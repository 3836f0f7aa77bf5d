"""Imports as a whole: what is kept of them, and who hears of them."""

import pytest

from energia.db.pool import Tenant
from energia.errors import NotFound
from energia.metering import imports
from tests.core.metering.setting import STAMP, START, Heard, meter, one_series, post, series


async def test_imports_are_kept(tenant: Tenant) -> None:
    """What became of imports is listed, the newest first."""
    await meter(tenant)
    first = await post(tenant, series([1, None], START))
    second = await post(tenant, series(["x"], START), skip=True)

    listed = await imports.list_imports(tenant, None, 10)
    kept = await imports.get_import(tenant, str(second.import_))

    assert [one.import_ for one in listed] == [second.import_, first.import_]
    assert await imports.list_imports(tenant, second.import_, 10) == listed[1:]
    assert (listed[1].created, listed[1].missing, listed[1].format) == (1, 1, "json")
    assert [fault.code for fault in kept.problems] == ["not_a_number"]
    with pytest.raises(NotFound):
        await imports.get_import(tenant, "imp_x")


async def test_an_import_takes_one_number(tenant: Tenant) -> None:
    """However many meters it names, and if there is none of them."""
    for name in "abc":
        await meter(tenant, name, channels=("import", "export"))
    readings = [{"meter": name, "start": STAMP, "value": 1, "channel": "import"} for name in "abc"]

    for body in (readings, readings[:1], [{**readings[0], "meter": "x"}], readings):
        await post(tenant, {"readings": body}, skip=True)

    numbers = await tenant.fetch(int, "select id from import order by id")
    assert numbers == list(range(numbers[0], numbers[0] + 4))


async def test_observers_hear_of_it_after_the_commit(tenant: Tenant) -> None:
    """Observers are told the counts and the meters of what was stored."""
    await meter(tenant)
    heard = Heard()

    outcome = await post(tenant, series([1, None]), heard=heard)

    assert [(event.number, event.format, event.meters) for event in heard.events] == [
        (outcome.import_, "json", ("m",))
    ]
    assert heard.events[0].counts.created == 1


async def test_readings_that_are_too_fine_are_told(tenant: Tenant) -> None:
    """One warning says how many are rounded and where the first is; they are stored."""
    await meter(tenant)

    outcome = await post(tenant, series([0.1, 0.0000004, 12.3456789, 1.5, None], START))

    (warning,) = outcome.problems
    assert (warning.code, warning.severity, outcome.created) == ("rounded_readings", "warning", 4)
    assert warning.message.startswith("2 readings are finer than a millionth")
    assert str(warning.pointer).endswith("/values/1")

    (single,) = (await post(tenant, series([0.0000004], START + 40 * 900))).problems
    assert single.message.startswith("1 reading is finer than a millionth")


async def test_readings_in_other_units_are_rounded_where_they_do_not_fit(tenant: Tenant) -> None:
    """36 MJ are 10 kWh; 1 MJ is 0.2777... kWh."""
    await meter(tenant)

    fitting, rounded = [
        await post(tenant, {"series": [{**one_series(values, START, "m", "PT1H"), "unit": "MJ"}]})
        for values in ([36, 72], [36, 1])
    ]

    assert fitting.problems == ()
    assert [fault.message[:10] for fault in rounded.problems] == ["1 reading "]

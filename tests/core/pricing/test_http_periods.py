"""Usage by the periods of a tariff, over HTTP."""

import csv
import io
import json
from fractions import Fraction
from typing import Any

import pytest

from tests.core.pricing import oracle
from tests.core.pricing.asking import answer_of, pointers
from tests.core.pricing.documents import document, instant
from tests.serving import Client

EVENING = {"period": "peak", "days": ["weekday"], "from": "17:30", "to": "20:30"}
PEAK = {"default": "off", "rules": [EVENING]}
NIGHT = {"default": "day", "rules": [{"period": "night", "from": "22:00", "to": "06:00"}]}
BY_TIME = {"kind": "energy.time_of_use", "code": "grid", "schedule": PEAK,
           "rates": {"peak": "1", "off": "1"}}  # fmt: skip
BY_NIGHT = {"kind": "energy.time_of_use", "code": "supply", "schedule": NIGHT,
            "rates": {"night": "1", "day": "1"}}  # fmt: skip
HOLIDAYS: dict[str, Any] = {"holidays": ["2026-10-26"]}
#: The tariff is on the time of Berlin, the site on that of São Paulo.
TARIFF = document([BY_TIME], "Europe/Berlin", valid_to="2026-11-01", **HOLIDAYS)
#: Of the days of this window one has 25 hours in Berlin, and none in São Paulo.
START, END = "2026-10-23T22:00:00-03:00", "2026-10-28T00:00:00-03:00"
PATH = "/v1/meters/m/usage"
WINDOW = {"start": START, "end": END, "by": "period", "tariff": "t"}
#: Nothing is known of every seventh quarter of an hour.
VALUES = [None if at % 7 == 3 else at % 11 / 8 for at in range(4 * 98)]


@pytest.fixture(name="api")
async def _api(client: Client) -> Client:
    """Give a service with a meter, its readings and the tariff."""
    site = {"name": "s", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    shape = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT15M"}
    run = {"meter": "m", "start": START, "interval": "PT15M", "values": VALUES}
    for method, path, body in (
        ("PUT", "/v1/tariffs/t", TARIFF),
        ("PUT", "/v1/sites/s", site),
        ("PUT", "/v1/meters/m", {"site": "s", "channels": [{"id": "import", **shape}]}),
        ("POST", "/v1/readings", {"series": [run]}),
    ):
        status, answer = await answer_of(client, method, path, body)
        assert status in (200, 201), answer
    return client


def query(**changes: str) -> str:
    """Return the path with the window, changed."""
    return f"{PATH}?" + "&".join(f"{name}={value}" for name, value in (WINDOW | changes).items())


def expected() -> list[dict[str, Fraction]]:
    """Return the sums of local days of São Paulo, looked up slot by slot."""
    days: dict[int, dict[str, Fraction]] = {}
    first = instant("2026-10-23T00:00:00-03:00")
    for at, value in enumerate(VALUES):
        start = instant(START) + 900 * at
        period = oracle.period_at(PEAK, HOLIDAYS, "Europe/Berlin", start)
        sums = days.setdefault((start - first) // 86_400, {})
        sums[period] = sums.get(period, Fraction(0)) + Fraction(value or 0)
    return list(days.values())


async def test_periods_add_up_to_the_value(api: Client) -> None:
    """Each window of the site is split on the clock and the holidays of the tariff."""
    status, found = await answer_of(api, "GET", query(window="P1D"))

    assert status == 200, found
    sums = [{name: Fraction(v) for name, v in one["periods"].items()} for one in found["data"]]
    assert sums == expected()
    assert [sum(one.values()) for one in sums] == [Fraction(one["value"]) for one in found["data"]]
    assert sum(one["coverage"]["missing"] for one in found["data"]) == VALUES.count(None)
    assert found["timezone"] == "America/Sao_Paulo"
    assert found["assumptions"] == []


async def test_without_by_there_are_no_periods(api: Client) -> None:
    """The answer is as it was."""
    _, found = await answer_of(api, "GET", f"{PATH}?start={START}&end={END}")

    assert all("periods" not in one for one in found["data"])


async def test_files_have_a_column_for_each_period(api: Client) -> None:
    """Empty, or null, where a window has no slot in it."""
    path = query(window="PT1H")
    _, found = await answer_of(api, "GET", path)
    async with api.get(path, headers={"Accept": "text/csv"}) as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    async with api.get(path, headers={"Accept": "application/x-ndjson"}) as answer:
        objects = [json.loads(line) for line in (await answer.text()).splitlines()]

    names = ["period.off", "period.peak"]
    assert list(rows[0])[-2:] == names
    told = [[one["periods"].get(name[len("period.") :]) for name in names] for one in found["data"]]
    assert any(None in one for one in told)
    assert [[row[name] or None for name in names] for row in rows] == told
    assert [[one[name] for name in names] for one in objects] == told
    assert [one["value"] for one in objects] == [one["value"] for one in found["data"]]


async def test_a_charge_is_named_where_schedules_differ(api: Client) -> None:
    """Without one it is not clear which periods are meant."""
    both = document([BY_TIME, BY_NIGHT], "Europe/Berlin", **HOLIDAYS)
    await answer_of(api, "PUT", "/v1/tariffs/t", both)

    status, problem = await answer_of(api, "GET", query())
    _, grid = await answer_of(api, "GET", query(charge="grid"))
    _, supply = await answer_of(api, "GET", query(charge="supply"))

    assert (status, pointers(problem)) == (422, {"/query/tariff": "ambiguous_schedule"})
    assert "name the charge" in problem["errors"][0]["message"]
    assert set(grid["data"][1]["periods"]) == {"off"}  # a Saturday in São Paulo
    assert set(supply["data"][1]["periods"]) == {"day", "night"}


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        (f"{PATH}?start={START}&end={END}&by=period", {"/query/tariff": "missing_field"}),
        (f"{PATH}?start={START}&end={END}&tariff=t", {"/query/by": "missing_field"}),
        (f"{PATH}?start={START}&end={END}&charge=grid", {"/query/by": "missing_field"}),
        (query(by="day"), {"/query/by": "unknown_value"}),
        (query(tariff="x"), {"/query/tariff": "unknown_tariff"}),
        (query(charge="x"), {"/query/charge": "unknown_charge"}),
        (query(end="2026-11-03"), {"/query/end": "no_version_in_force"}),
        (query(charge="grid", end="2026-11-03"), {"/query/end": "no_version_in_force"}),
        (query(start="1989-12-31", end="1990-01-02"), {"/query/start": "no_version_in_force"}),
    ],
)
async def test_queries_that_do_not_fit(api: Client, path: str, faults: dict[str, Any]) -> None:
    """Each fault names the parameter of the query; of files too."""
    for accept in ("application/json", "text/csv"):
        async with api.get(path, headers={"Accept": accept}) as answer:
            assert answer.status == 422
            assert pointers(await answer.json()) == faults


async def test_a_boundary_inside_slots_is_told(api: Client) -> None:
    """With the number of slots: the peak begins and ends in the middle of an hour's quarter."""
    rule = EVENING | {"from": "17:35", "days": ["all"]}
    charge = BY_TIME | {"schedule": PEAK | {"rules": [rule]}}
    await answer_of(api, "PUT", "/v1/tariffs/t", document([charge], "America/Sao_Paulo"))

    _, found = await answer_of(api, "GET", query())

    assert [(one["code"], one["slots"]) for one in found["assumptions"]] == [
        ("boundary_inside_interval", 4)
    ]

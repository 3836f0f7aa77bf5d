"""Reads of registers, exchanges and stretches over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import meter_csv, tariff_flat
from tests.core.pricing.asking import answer_of
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
ENERGY = {"quantity": "active_energy", "direction": "import", "unit": "kWh"}
REGISTER = {"id": "r", **ENERGY, "kind": "register", "digits": 5, "max_power": "15"}
DENSE = {**REGISTER, "id": "d", "interval": "PT15M", "direction": "export"}
IRREGULAR = {"id": "i", **ENERGY, "kind": "irregular"}
SLOTS = {"id": "s", **ENERGY, "interval": "PT15M"}
READS = "/v1/meters/m/registers"
STRETCHES = "/v1/meters/m/stretches"
YEAR = "start=2026-01-01&end=2027-01-01"


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site with a meter that has a channel of each kind."""
    core = make_core(pool=pool, plugins=Plugins.of(meter_csv=meter_csv, tariff_flat=tariff_flat))
    async with serving(core) as client:
        await client.put("/v1/sites/home", json=SITE)
        channels = [REGISTER, DENSE, IRREGULAR, SLOTS]
        made = await client.put("/v1/meters/m", json={"site": "home", "channels": channels})
        assert made.status == 201, await made.text()
        yield client


async def ask(api: Client, path: str, body: object = None) -> Any:
    """Return the answer to a request that is granted."""
    status, answer = await answer_of(api, "GET" if body is None else "POST", path, body)
    assert status == 200, answer
    return answer


async def refused(api: Client, path: str, body: object = None) -> list[tuple[str, str]]:
    """Return the pointers and codes of a refusal."""
    status, answer = await answer_of(api, "GET" if body is None else "POST", path, body)
    assert status == 422, answer
    return [(fault["pointer"], fault["code"]) for fault in answer["errors"]]


def read(at: str, value: str, **more: Any) -> dict[str, Any]:
    """Return a read of the register."""
    return {"channel": "r", "at": at, "value": value, **more}


async def test_reads_come_back(api: Client) -> None:
    """Reads are listed with the digits that were sent, and what they counted as stretches."""
    sent = [read("2026-03-05", "100.50"), read("2026-04-06T09:00:00-03:00", "137.5")]
    await ask(api, READS, {"reads": sent})
    reads = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"]
    stretches = (await ask(api, f"{STRETCHES}?channel=r&{YEAR}"))["items"]
    assert [(each["at"], each["value"], each["unit"]) for each in reads] == [
        ("2026-03-05T00:00:00-03:00", "100.50", "kWh"),
        ("2026-04-06T09:00:00-03:00", "137.5", "kWh"),
    ]
    assert [(each["end"], each["value"], each["quality"]) for each in stretches] == [
        ("2026-04-06T09:00:00-03:00", "37", "derived")
    ]


async def test_a_page_of_reads(api: Client) -> None:
    """Page by page, each read comes once; the two of an exchange come together."""
    await ask(api, READS, {"reads": [read("2026-03-01", "1"), read("2026-03-05", "9")]})
    exchange = {"channel": "r", "at": "2026-03-02", "final": "2", "initial": "5"}
    await ask(api, "/v1/meters/m/exchange", exchange)
    page = await ask(api, f"{READS}?channel=r&{YEAR}&limit=2")
    rest = await ask(api, f"{READS}?channel=r&{YEAR}&limit=2&cursor={page['next']}")
    assert [each["value"] for each in page["items"]] == ["1", "2", "5"]
    assert ([each["value"] for each in rest["items"]], rest["next"]) == (["9"], None)


async def test_reads_again(api: Client) -> None:
    """What is stored changes nothing; another value is a correction, and what was known stays."""
    first = await ask(api, READS, {"reads": [read("2026-03-01", "1"), read("2026-03-02", "4")]})
    again = await ask(api, READS, {"reads": [read("2026-03-01", "1"), read("2026-03-02", "5")]})
    recorded = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"][1]["recorded_at"]
    before = recorded.replace("Z", "+00:00").replace("+", "%2B")
    assert (first["created"], again["unchanged"], again["corrected"]) == (2, 1, 1)
    known = await ask(api, f"{STRETCHES}?channel=r&{YEAR}&known_at={before}")
    assert [each["value"] for each in known["items"]] == ["4"]


async def test_a_read_is_withdrawn(api: Client) -> None:
    """A read with a wrong date goes, what was known by it stays, and it may be sent again."""
    await ask(api, READS, {"reads": [read("2026-03-01", "1"), read("2026-03-20", "99")]})
    recorded = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"][1]["recorded_at"]
    path = f"{READS}?channel=r&at=2026-03-20"

    gone, again = await api.delete(path), await api.delete(path)

    assert (gone.status, again.status) == (204, 404)
    assert [each["value"] for each in (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"]] == [
        "1"
    ]
    before = recorded.replace("Z", "%2B00:00").replace("+", "%2B")
    known = await ask(api, f"{STRETCHES}?channel=r&{YEAR}&known_at={before}")
    assert [each["value"] for each in known["items"]] == ["98"]
    sent = await ask(api, READS, {"reads": [read("2026-03-20", "5")]})
    assert sent["created"] == 1


async def test_a_stretch_is_withdrawn(api: Client) -> None:
    """What was never measured goes, and another stretch may take its time."""
    first = {"channel": "i", "start": "2026-01-14", "end": "2026-02-13", "value": "52.4"}
    await ask(api, STRETCHES, {"stretches": [first]})

    gone = await api.delete(f"{STRETCHES}?channel=i&start=2026-01-14")
    other = await api.delete(f"{STRETCHES}?channel=i&start=2026-01-14")
    longer = {**first, "end": "2026-02-14"}
    stored = await ask(api, STRETCHES, {"stretches": [longer]})

    assert (gone.status, other.status, stored["created"]) == (204, 404, 1)


async def test_wrong_reads(api: Client) -> None:
    """Every read that cannot be stored is named, and none is stored."""
    wrong = [
        read("2026-03-01", "1"),
        read("2026-03-01", "2"),
        read("2026-03-02", "1", channel="s"),
        read("2026-03-02", "1", channel="x"),
        read("2026-03-02", "1", unit="kvarh"),
        read("2099-03-02", "1"),
        read("2026-03-02T00:00:00.5Z", "1"),
        read("2026-03-03", "100000"),
        read("2026-03-04", "-1"),
    ]
    faults = await refused(api, READS, {"reads": wrong})
    assert sorted(faults) == [
        ("/reads/1", "duplicate_in_request"),
        ("/reads/2", "wrong_kind"),
        ("/reads/3", "unknown_channel"),
        ("/reads/4", "wrong_unit"),
        ("/reads/5", "in_future"),
        ("/reads/6", "off_grid"),
        ("/reads/7", "out_of_range"),
        ("/reads/8", "out_of_range"),
    ]
    assert (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"] == []


async def test_a_read_in_another_unit(api: Client) -> None:
    """A power of ten is a matter of the decimal mark; digits stay."""
    await ask(api, READS, {"reads": [read("2026-03-01", "123450", unit="Wh")]})
    (kept,) = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"]
    assert kept["value"] == "123.450"


async def test_a_late_read_from_which_the_register_falls(api: Client) -> None:
    """The import that brings it says so, though the read that fell was sent before."""
    await ask(api, READS, {"reads": [read("2026-03-01", "1"), read("2026-03-05", "9")]})
    late = await ask(api, READS, {"reads": [read("2026-03-03", "20")]})
    assert [(each["code"], each["pointer"]) for each in late["problems"]] == [
        ("register_went_back", "/reads/0")
    ]


async def test_a_read_of_many_digits(api: Client) -> None:
    """All of them are kept."""
    value = "12345.123456789012345678901234567"
    await ask(api, READS, {"reads": [read("2026-03-01", value)]})
    (kept,) = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"]
    assert kept["value"] == value


async def test_a_window_that_ends_before_a_wrong_read(api: Client) -> None:
    """It is passed over by what follows it, whichever window is asked for."""
    sent = [("2026-03-01", "1"), ("2026-03-05", "90000"), ("2026-03-09", "9")]
    await ask(api, READS, {"reads": [read(*each) for each in sent]})
    usage = "/v1/meters/m/usage?channel=r&start=2026-03-01&window=P1D"
    (short, long) = [
        (await ask(api, f"{usage}&end={end}"))["data"] for end in ("2026-03-03", "2026-03-09")
    ]
    assert [each["value"] for each in short] == ["1", "1"] == [each["value"] for each in long[:2]]


async def test_many_reads_of_the_day_before_a_window(api: Client) -> None:
    """All of them belong to what reaches into it: 299 kWh and 1 kWh are spread over ten days."""
    times = [f"2026-03-01T{at // 60:02}:{at % 60:02}:00-03:00" for at in range(300)]
    sent = [read(time, str(value)) for value, time in enumerate(times)]
    await ask(api, READS, {"reads": [*sent, read("2026-03-11", "300")]})
    usage = "/v1/meters/m/usage?channel=r&window=P1D"
    (day,) = (await ask(api, f"{usage}&start=2026-03-05&end=2026-03-06"))["data"]
    assert day["value"] == "30"


async def test_what_was_known_before_many_late_reads(api: Client) -> None:
    """Reads that were recorded later do not hide the one from which was counted then."""
    await ask(api, READS, {"reads": [read("2026-03-01", "0"), read("2026-03-20", "19")]})
    recorded = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"][1]["recorded_at"]
    minutes = [f"2026-03-02T{at // 60:02}:{at % 60:02}:00-03:00" for at in range(300)]
    await ask(api, READS, {"reads": [read(minute, "1") for minute in minutes]})
    pin = recorded.replace("Z", "+00:00").replace("+", "%2B")
    usage = "/v1/meters/m/usage?channel=r&window=P1D&start=2026-03-05&end=2026-03-06"
    (day,) = (await ask(api, f"{usage}&known_at={pin}"))["data"]
    assert day["value"] == "1"


async def test_usage_of_a_register(api: Client) -> None:
    """From read to read usage is exact; a window between says that it is spread, and no peak."""
    await ask(api, READS, {"reads": [read("2026-03-01", "0"), read("2026-03-11", "100")]})
    usage = "/v1/meters/m/usage?channel=r&window=P1D"
    whole = await ask(api, f"{usage}&start=2026-03-01&end=2026-03-11")
    assert [each["value"] for each in whole["data"]] == ["10"] * 10
    assert {each["peak"] for each in whole["data"]} == {None}
    assert [(each["code"], each["slots"]) for each in whole["assumptions"]] == [
        ("spread_readings", 1)
    ]


async def test_gaps_of_a_register(api: Client) -> None:
    """Before the first read nothing was sent; where it went back it did not count."""
    sent = [("2026-03-02", "50"), ("2026-03-04", "3"), ("2026-03-05", "4")]
    await ask(api, READS, {"reads": [read(*each) for each in sent]})
    gaps = (await ask(api, "/v1/meters/m/gaps?channel=r&start=2026-03-01&end=2026-03-05"))["items"]
    assert [(each["start"][:10], each["slots"], each["reason"]) for each in gaps] == [
        ("2026-03-01", 96, "never_sent"),
        ("2026-03-02", 192, "not_counted"),
    ]


async def test_a_register_with_an_interval(api: Client) -> None:
    """A register that is read every quarter of an hour has readings as other channels have."""
    reads = [
        {"channel": "d", "at": f"2026-03-01T00:{minute:02}:00-03:00", "value": str(value)}
        for minute, value in ((0, 10), (15, 11), (45, 13))
    ]
    await ask(api, READS, {"reads": reads})
    window = "start=2026-03-01T00:00:00-03:00&end=2026-03-01T01:00:00-03:00"
    readings = await ask(api, f"/v1/meters/m/readings?channel=d&{window}".replace("+", "%2B"))
    assert readings["values"] == [1, None, None, None]


async def test_what_has_no_slots_has_no_readings(api: Client) -> None:
    """Whoever asks for slots of a register that has none is told where to ask."""
    path = "/v1/meters/m/readings?channel=r&start=2026-03-01&end=2026-03-02"
    assert await refused(api, path) == [("/query/channel", "wrong_kind")]


async def test_what_was_used_is_no_read(api: Client) -> None:
    """Readings for a register are refused: they would be taken for what it shows."""
    sent = {"meter": "m", "channel": "r", "start": "2026-03-01T00:00:00Z", "value": 1}
    assert await refused(api, "/v1/readings", {"readings": [sent]}) == [
        ("/readings/0", "wrong_kind")
    ]


async def test_stretches_do_not_overlap(api: Client) -> None:
    """A stretch is stored once; one across another is refused, and equal ends correct it."""
    first = {"channel": "i", "start": "2026-01-14", "end": "2026-02-13", "value": "52.4"}
    across = {**first, "start": "2026-02-01", "end": "2026-03-01"}
    assert (await ask(api, STRETCHES, {"stretches": [first]}))["created"] == 1
    assert await refused(api, STRETCHES, {"stretches": [across]}) == [("/stretches/0", "overlap")]
    corrected = await ask(api, STRETCHES, {"stretches": [{**first, "value": "52.5"}]})
    assert corrected["corrected"] == 1
    listed = (await ask(api, f"{STRETCHES}?channel=i&{YEAR}"))["items"]
    assert [each["value"] for each in listed] == ["52.5"]


async def test_days_of_a_file(api: Client) -> None:
    """Days of a file, each with its start and end, go to an irregular channel."""
    text = "from;to;kwh\n2026-03-01;2026-03-02;7.5\n2026-03-02;2026-03-03;8\n"
    options = "format=csv&meter=m&channel=i&delimiter=%3B&start_column=from&end_column=to"
    more = "value_column=kwh&timezone=America/Sao_Paulo"
    async with api.post(f"/v1/imports?{options}&{more}", data=text) as answer:
        assert answer.status == 200, await answer.text()
    listed = (await ask(api, f"{STRETCHES}?channel=i&{YEAR}"))["items"]
    assert [(each["start"][:10], each["value"]) for each in listed] == [
        ("2026-03-01", "7.5"),
        ("2026-03-02", "8"),
    ]


async def test_a_register_keeps_its_meaning(api: Client) -> None:
    """Once it has reads, a register cannot get another multiplier, unit or kind."""
    await ask(api, READS, {"reads": [read("2026-03-01", "1")]})
    for change in ({"multiplier": "40"}, {"unit": "MWh"}, {"interval": "PT1H"}):
        body = {"site": "home", "channels": [{**REGISTER, **change}, DENSE, IRREGULAR, SLOTS]}
        status, answer = await answer_of(api, "PUT", "/v1/meters/m", body)
        assert (status, answer["code"]) == (409, "in_use"), change


COUNTER = """at;meter;kwh;factor
2026-03-01T00:00:00Z;m;35089902;0.001
2026-03-01T00:15:00Z;m;35089984;0.001
2026-03-01T00:30:00Z;m;35090000;0.001
"""
OF_COUNTER = (
    "/v1/imports?format=csv&meter=m&delimiter=%3B&start_column=at&value_column=kwh"
    "&factor_column=factor&reads=true"
)


async def test_a_file_of_reads(api: Client) -> None:
    """A file of what a register showed goes to a register as it is."""
    async with api.post(f"{OF_COUNTER}&channel=r", data=COUNTER) as answer:
        outcome = await answer.json()
    assert (outcome["received"], outcome["created"]) == (3, 3)
    listed = (await ask(api, f"{READS}?channel=r&start=2026-02-01&end=2026-04-01"))["items"]
    assert [each["value"] for each in listed] == ["35089.902", "35089.984", "35090.000"]


async def test_a_file_of_reads_of_days(api: Client) -> None:
    """A date alone is its midnight, or when the day began that had none."""
    text = "start,value\n2018-11-03,10\n2018-11-04,11\n2018-11-05T10:30,12\n"
    path = "/v1/imports?format=csv&meter=m&channel=r&reads=true&timezone=America/Sao_Paulo"
    async with api.post(path, data=text) as answer:
        assert answer.status == 200, await answer.text()
    listed = (await ask(api, f"{READS}?channel=r&start=2018-01-01&end=2019-01-01"))["items"]
    assert [(each["at"], each["value"]) for each in listed] == [
        ("2018-11-03T00:00:00-03:00", "10"),
        ("2018-11-04T01:00:00-02:00", "11"),
        ("2018-11-05T10:30:00-02:00", "12"),
    ]


async def test_a_file_of_reads_that_are_missing(api: Client) -> None:
    """A read that is said to be missing is none, whatever stands beside."""
    text = "start,value,q\n2026-03-01,10,V\n2026-03-02,11,M\n"
    words = "quality_column=q&quality_words=V=actual,M=missing&timezone=UTC"
    path = f"/v1/imports?format=csv&meter=m&channel=r&reads=true&{words}"
    async with api.post(path, data=text) as answer:
        refusal = await answer.json()
    assert [(each["line"], each["code"]) for each in refusal["errors"]] == [
        (3, "missing_with_value")
    ]


async def test_a_file_of_reads_that_says_two_things(api: Client) -> None:
    """However far apart: the first read of an instant stands, and one that is equal is folded."""
    first = datetime(2025, 1, 1, tzinfo=UTC)
    times = [(first + timedelta(minutes=at)).isoformat() for at in range(8200)]
    text = "\n".join(
        ["start,value", *(f"{time},1" for time in times), f"{times[0]},5", f"{times[1]},1"]
    )
    path = "/v1/imports?format=csv&meter=m&channel=r&reads=true&on_problem=skip"
    async with api.post(path, data=text) as answer:
        outcome = await answer.json()
    counts = [outcome[name] for name in ("created", "corrected", "repeated", "rejected")]
    assert counts == [8200, 0, 1, 1]
    assert [each["code"] for each in outcome["problems"]] == ["duplicate_in_request"]


async def test_a_file_of_reads_for_slots(api: Client) -> None:
    """A channel of slots gets the differences: 0.082 and 0.016 kWh."""
    async with api.post(f"{OF_COUNTER}&channel=s", data=COUNTER) as answer:
        outcome = await answer.json()
    assert (outcome["received"], outcome["created"]) == (2, 2)
    window = "start=2026-03-01T00:00:00Z&end=2026-03-01T00:30:00Z"
    readings = await ask(api, f"/v1/meters/m/readings?channel=s&{window}")
    assert (readings["values"], readings["quality"][0]["code"]) == ([0.082, 0.016], "derived")


async def test_months_of_a_file(api: Client) -> None:
    """Rows that are months go to an irregular channel; a row that begins elsewhere is refused."""
    options = "format=csv&meter=m&channel=i&date_format=%25d/%25m/%25Y&length=P1M"
    text = "start,value\n01/01/2026,310\n01/02/2026,280\n"
    path = f"/v1/imports?{options}&timezone=America/Sao_Paulo"
    async with api.post(path, data=text) as answer:
        assert answer.status == 200, await answer.text()
    async with api.post(path, data="start,value\n02/03/2026,1\n") as answer:
        refusal = await answer.json()
    listed = (await ask(api, f"{STRETCHES}?channel=i&{YEAR}"))["items"]
    assert [(each["end"][:10], each["value"]) for each in listed] == [
        ("2026-02-01", "310"),
        ("2026-03-01", "280"),
    ]
    assert [(each["line"], each["code"]) for each in refusal["errors"]] == [(2, "off_grid")]


def quarters(values: list[float]) -> str:
    """Return a file of quarter-hours."""
    stamps = [
        f"2026-03-{1 + at // 96:02}T{at // 4 % 24:02}:{at % 4 * 15:02}:00Z" for at in range(200)
    ]
    rows = (f"{stamp},{value}" for stamp, value in zip(stamps, values, strict=False))
    return "\n".join(["start,value", *rows])


@pytest.mark.parametrize(
    "values",
    [
        [8350 + 0.2 * at for at in range(5)],
        [8350 + 0.5 * at for at in range(12)],
        [8350 + 0.5 * (at // 2) for at in range(24)],
        [0.1 * at for at in range(100)],
    ],
)
async def test_a_counter_is_no_usage(api: Client, values: list[float]) -> None:
    """A file of values that only grow is refused for a channel of slots: 8,350 kWh in one."""
    path = "/v1/imports?format=csv&meter=m&channel=s"
    async with api.post(path, data=quarters(values)) as answer:
        refusal = await answer.json()
    assert [(each["line"], each["code"]) for each in refusal["errors"]] == [
        (2, "looks_like_register")
    ]


@pytest.mark.parametrize(
    "values",
    [
        [0.1 * at for at in range(40)],
        [500.0] * 100,
        [8350 + 50 * at for at in range(24)],
        [12.01, 12.01, 12.02, 12.03],
        [1 + at % 96 / 10 for at in range(200)],
    ],
)
async def test_usage_is_no_counter(api: Client, values: list[float]) -> None:
    """A morning of sun, a load that never changes, a few values, and what falls again are usage."""
    path = "/v1/imports?format=csv&meter=m&channel=s"
    async with api.post(path, data=quarters(values)) as answer:
        assert answer.status == 200, await answer.text()


async def test_reads_are_deleted_but_for_that_from_which_others_are_counted(api: Client) -> None:
    """A law asks for those before April; what is used in April is known as before."""
    days = ("2026-01-05", "2026-02-05", "2026-03-05", "2026-04-05", "2026-05-05")
    await ask(api, READS, {"reads": [read(day, str(at * 10)) for at, day in enumerate(days)]})
    april = f"{STRETCHES}?channel=r&start=2026-04-01&end=2026-06-01"
    before = (await ask(api, april))["items"]

    status, deletion = await answer_of(
        api, "DELETE", "/v1/meters/m/readings?before=2026-04-01&reason=request"
    )

    left = (await ask(api, f"{READS}?channel=r&{YEAR}"))["items"]
    assert (status, deletion["readings"]) == (200, 2)
    assert [each["value"] for each in left] == ["20", "30", "40"]
    assert (await ask(api, april))["items"] == before
    assert await refused(api, READS, {"reads": [read("2026-02-05", "10")]}) == [
        ("/reads/0", "deleted_by_law")
    ]
    known = f"{READS}?channel=r&{YEAR}&known_at=2026-06-01T00:00:00Z"
    assert (await answer_of(api, "GET", known))[1]["code"] == "readings_deleted"


async def test_stretches_are_deleted_that_end_by_a_day(api: Client) -> None:
    """One that reaches past it is of the days after as well, and stays."""
    ends = ("2026-01-10", "2026-02-10", "2026-03-10", "2026-04-10")
    sent = [
        {"channel": "i", "start": start, "end": end, "value": 10} for start, end in pairwise(ends)
    ]
    await ask(api, STRETCHES, {"stretches": sent})

    status, deletion = await answer_of(
        api, "DELETE", "/v1/meters/m/readings?before=2026-03-01&reason=request"
    )

    left = (await ask(api, f"{STRETCHES}?channel=i&{YEAR}"))["items"]
    assert (status, deletion["readings"]) == (200, 1)
    assert [each["start"][:10] for each in left] == ["2026-02-10", "2026-03-10"]
    assert await refused(api, STRETCHES, {"stretches": sent[:1]}) == [
        ("/stretches/0", "deleted_by_law")
    ]


async def test_a_meter_goes_with_its_reads_and_stretches(api: Client, pool: Pool) -> None:
    """All of them: nothing is counted from what is left."""
    await ask(api, READS, {"reads": [read("2026-03-01", "1"), read("2026-03-05", "9")]})
    stretch = {"channel": "i", "start": "2026-03-01", "end": "2026-04-01", "value": 10}
    await ask(api, STRETCHES, {"stretches": [stretch]})

    path = "/v1/meters/m/everything?reason=request"
    status, deletion = await answer_of(api, "DELETE", path)

    rows = "select (select count(*) from register_read) + (select count(*) from stretch)"
    assert (status, deletion["readings"]) == (200, 3)
    assert await pool.tenant().fetch(int, rows) == [0]

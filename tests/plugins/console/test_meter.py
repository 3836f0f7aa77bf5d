"""The page of a meter: what it says of a week that was worked out by hand."""

import re
from datetime import UTC, datetime

import pytest

from energia_plugins.console.words import NBSP
from tests.plugins.console import week
from tests.plugins.console.service import Service

PAGE = f"/console/meters/{week.METER}"
WEEK = "from=2026-03-02&to=2026-03-09"


def shown(text: str) -> str:
    """Return a text with plain spaces."""
    return text.replace(NBSP, " ")


async def test_week(open_service: Service) -> None:
    """A week says its peak and when, what was used, how much of it in which period, and gaps."""
    await week.fill(open_service)
    page = await open_service.get(f"{PAGE}?{WEEK}", Accept_Language="en")
    text = shown(page.text)

    assert page.status == 200
    assert "Peak of the week: 45.4 kW , 6 Mar, 08:15." in text
    assert "732 kWh : P 120 peak , O 612 off-peak" in text
    assert "10 of 672 intervals have no reading." in text
    assert "contracted, 40.0 kW" in text
    assert "2 to 8 Mar 2026" in text
    assert "Periods of A4 Verde" in text


async def test_portuguese(open_service: Service) -> None:
    """In Portuguese it says the same, in the words and with the marks of a Brazilian bill."""
    await week.fill(open_service)
    text = shown((await open_service.get(f"{PAGE}?{WEEK}", Accept_Language="pt-BR")).text)

    assert "Pico da semana: 45,4 kW , 6 mar., 08:15." in text
    assert "732 kWh : P 120 ponta , F 612 fora ponta" in text
    assert "Sem leitura: 10 de 672 intervalos." in text
    assert "Acima dos 40,0 kW contratados por 0,3 h." in text


async def test_without_a_window(open_service: Service) -> None:
    """Without a window, or with what is none, the seven days to the latest reading are shown."""
    await week.fill(open_service)
    for query in ("", "?from=2026-03-09&to=2026-03-02", "?from=yesterday&to=x", "?from=2026-03-02"):
        page = await open_service.get(PAGE + query)
        assert "2 to 8 Mar 2026" in shown(page.text)


async def test_drawn(open_service: Service) -> None:
    """The picture has the ponta of five days, the gap, the estimates, the contract and the peak."""
    await week.fill(open_service)
    html = (await open_service.get(f"{PAGE}?{WEEK}")).html
    drawn = next(one for one in html.split("<svg")[1:] if "estimated-wide" in one)
    wide = drawn.partition("</svg>")[0]

    assert len(re.findall(r'class="p shade"', wide)) == 5
    assert len(re.findall(r'class="missing"', wide)) == 1
    assert len(re.findall(r"url\(#estimated-wide\)", wide)) == 11
    assert len(re.findall(r'class="limit"', wide)) == 1
    assert "45.4" in wide
    assert "style=" not in html


async def test_coverage_and_corrections(open_service: Service) -> None:
    """Gaps and estimates are listed with their intervals, corrections with what they changed."""
    await week.fill(open_service)
    await week.send(open_service.client, week.ESTIMATED[0], ["0.5"] * 4, "actual")
    text = shown((await open_service.get(f"{PAGE}?{WEEK}")).text)

    assert "98.2% read since 2 Mar 2026: 655 of 672 intervals" not in text
    assert "97.4% read since 2 Mar 2026: 655 of 672 intervals; 7 estimated" in text
    assert "4 Mar, 02:00 to 04:30 10 no reading" in text
    assert "7 Mar, 14:15 to 16:00 7 estimated" in text
    assert (
        "7 Mar, 13:15 to 14:15: 4 intervals, estimated before, now read, \N{MINUS SIGN}2.00 kWh"
        in text
    )


async def test_who_has_corrected(service: Service) -> None:
    """A correction names who made it."""
    await service.sign_in()
    token = await service.token()
    service.client.session.headers["Authorization"] = f"Bearer {token}"
    await week.fill(service, contract=False)
    await week.send(service.client, week.PEAK, ["9"], "actual")
    text = shown((await service.get(f"{PAGE}?{WEEK}")).text)

    assert "6 Mar, 08:15 to 08:30: 1 interval, \N{MINUS SIGN}2.35 kWh Ana" in text


async def test_no_contract(open_service: Service) -> None:
    """A meter without a contract has no periods, no choice of them and no contracted demand."""
    await week.fill(open_service, contract=False)
    text = shown((await open_service.get(f"{PAGE}?{WEEK}")).text)

    assert "732 kWh ." in text
    assert "Periods of" not in text
    assert "contracted" not in text


async def test_no_periods_wanted(open_service: Service) -> None:
    """Who wants no periods sees none; the demand that is contracted stays."""
    await week.fill(open_service)
    page = await open_service.get(f"{PAGE}?{WEEK}&tariff=none")

    assert 'class="p shade"' not in page.html
    assert "contracted, 40.0 kW" in shown(page.text)
    assert "Periods of A4 Verde" in page.text


async def test_who_may_not_see_contracts(service: Service) -> None:
    """Who may read usage alone sees the curve without the tariff; a stranger sees nothing."""
    headers = {"Authorization": f"Bearer {await service.token()}"}
    service.client.session.headers.update(headers)
    await week.fill(service)
    del service.client.session.headers["Authorization"]
    await service.sign_in("readings:read")
    text = shown((await service.get(f"{PAGE}?{WEEK}")).text)

    assert "Peak of the week: 45.4 kW" in text
    assert "Periods of" not in text
    assert "import" not in text.partition("Gaps and estimates")[2].partition("Corrections")[0]

    await service.sign_in("tariffs:write")
    refused = await service.get(f"{PAGE}?{WEEK}")
    assert refused.status == 403


async def test_empty(open_service: Service) -> None:
    """A meter without a reading says so, and how to go on; one that is not there is not found."""
    site = {"name": "Pousada", "timezone": "Europe/Paris", "country": "FR", "currency": "EUR"}
    await week.put(open_service.client, "PUT", "/v1/sites/inn", site)
    meter = {"site": "inn", "channels": [week.CHANNEL]}
    await week.put(open_service.client, "PUT", f"/v1/meters/{week.METER}", meter)
    page = await open_service.get(PAGE)

    assert page.status == 200
    assert "There are no readings yet." in page.text
    assert "/console/import" in page.html
    assert (await open_service.get("/console/meters/none")).status == 404
    assert (await open_service.get(f"{PAGE}?channel=none")).status == 404


async def test_other_windows(open_service: Service) -> None:
    """A day, a month and a year are shown as well, and times without any reading."""
    await week.fill(open_service)
    day = shown((await open_service.get(f"{PAGE}?from=2026-03-06&to=2026-03-07")).text)
    month = shown((await open_service.get(f"{PAGE}?from=2026-03-01&to=2026-04-01")).text)
    year = shown((await open_service.get(f"{PAGE}?from=2025-04-01&to=2026-04-01")).text)
    never = shown((await open_service.get(f"{PAGE}?from=2024-03-01&to=2024-03-08")).text)

    # 84 quarters of 1 kWh but one of 11.35, and 12 of 2.
    assert "Peak of the day: 45.4 kW , 6 Mar, 08:15. 118 kWh : P 24.0 peak , O 94.4 off-peak" in day
    assert "Peak of the month: 45.4 kW" in month
    assert "March 2026" in month
    assert "Peak of the year: 45.4 kW" in year
    assert "Apr 2025 to Mar 2026" in year
    assert "No readings in this window." in never


async def test_several_channels(open_service: Service) -> None:
    """A meter with several channels offers the choice."""
    await week.fill(open_service)
    export = {**week.CHANNEL, "id": "export", "direction": "export"}
    meter = {"site": "inn", "channels": [week.CHANNEL, export]}
    await week.put(open_service.client, "PUT", f"/v1/meters/{week.METER}", meter)
    page = await open_service.get(f"{PAGE}?channel=export")

    assert "There are no readings yet." in page.text
    assert "Energy fed in, kWh each 15 min" in shown(page.text)
    assert "channel=import" in page.html


async def test_register(open_service: Service) -> None:
    """A register that is read once a month has its usage by days, and no powers."""
    await week.fill(open_service)
    register = {**week.CHANNEL, "id": "total", "kind": "register"}
    register.pop("interval")
    client = open_service.client
    meter = {"site": "inn", "channels": [register]}
    await week.put(client, "PUT", "/v1/meters/r", meter)
    reads = [{"at": "2026-03-01", "value": "100"}, {"at": "2026-03-11", "value": "200"}]
    await week.put(client, "POST", "/v1/meters/r/registers", {"reads": reads})
    text = shown((await open_service.get("/console/meters/r?from=2026-03-02&to=2026-03-09")).text)

    assert "70.0 kWh" in text
    assert "Load duration" not in text


async def test_file(open_service: Service) -> None:
    """The readings come as a file: with decimal commas and semicolons in Portuguese."""
    await week.fill(open_service)
    query = "readings.csv?from=2026-03-06&to=2026-03-07"
    english = (await open_service.get(f"{PAGE}/{query}", Accept_Language="en")).html
    portuguese = await open_service.get(f"{PAGE}/{query}", Accept_Language="pt-BR")

    assert english.splitlines()[0] == "start,value,unit,quality"
    assert "2026-03-06T08:15:00-03:00,11.35,kWh,actual" in english.splitlines()
    assert "2026-03-06T08:15:00-03:00;11,35;kWh;actual" in portuguese.html.splitlines()
    assert len(english.splitlines()) == 97
    assert portuguese.headers["Content-Disposition"].endswith('"inn-2026-03-06-2026-03-06.csv"')


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
async def test_changes_of_clocks(open_service: Service, day: str, hours: int) -> None:
    """A local day of 23 or 25 hours has so many, in its table and in its window."""
    site = {"name": "Paris", "timezone": "Europe/Paris", "country": "FR", "currency": "EUR"}
    await week.put(open_service.client, "PUT", "/v1/sites/inn", site)
    meter = {"site": "inn", "channels": [week.CHANNEL]}
    await week.put(open_service.client, "PUT", f"/v1/meters/{week.METER}", meter)
    start = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=UTC)
    await week.send(open_service.client, start, ["1"] * 96, "actual")
    after = datetime.fromisoformat(day).day + 1
    page = await open_service.get(f"{PAGE}?from={day}&to={day[:8]}{after:02d}")
    rows = re.findall(r'<tr><th scope="row">[0-9]+[^<]*, [0-9:]{5}</th>', page.html)

    assert len(rows) == hours


async def test_short_slots(open_service: Service) -> None:
    """Of a channel of seconds a day is shown, as a week of it has more slots than one looks at."""
    site = {"name": "Lab", "timezone": "Europe/Paris", "country": "FR", "currency": "EUR"}
    await week.put(open_service.client, "PUT", "/v1/sites/lab", site)
    meter = {"site": "lab", "channels": [{**week.CHANNEL, "interval": "PT1S"}]}
    await week.put(open_service.client, "PUT", f"/v1/meters/{week.METER}", meter)
    one = {
        "meter": week.METER,
        "start": "2026-03-02T12:00:00+01:00",
        "interval": "PT1S",
        "values": ["0.001"] * 60,
    }
    await week.put(open_service.client, "POST", "/v1/readings", {"series": [one]})
    text = shown((await open_service.get(PAGE)).text)

    assert "Peak of the day: 3.60 kW , 2 Mar, 12:00. 0.06 kWh" in text
    assert "kWh each 1 s" in text


async def test_imports_that_were_not_looked_at(open_service: Service) -> None:
    """Where there are more than one looks at, nobody says that these have corrected nothing."""
    site = {"name": "Lab", "timezone": "Europe/Paris", "country": "FR", "currency": "EUR"}
    await week.put(open_service.client, "PUT", "/v1/sites/lab", site)
    meter = {"site": "lab", "channels": [{**week.CHANNEL, "interval": "PT1S"}]}
    await week.put(open_service.client, "PUT", f"/v1/meters/{week.METER}", meter)
    for value in range(7):
        one = {"meter": week.METER, "start": "2026-03-02T12:00:00Z", "value": value}
        await week.put(open_service.client, "POST", "/v1/readings", {"readings": [one]})
    text = shown((await open_service.get(PAGE)).text)

    assert text.count("1 interval, +1.00 kWh") == 5
    assert "there may be corrections before them" in text

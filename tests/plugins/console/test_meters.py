"""The list of meters."""

from datetime import UTC, datetime, timedelta

from tests.plugins.console import week
from tests.plugins.console.service import Service
from tests.plugins.console.test_meter import shown


async def test_list(open_service: Service) -> None:
    """Each meter is listed with its site, its unit, its newest reading and what was read."""
    await week.fill(open_service)
    text = shown((await open_service.get("/console/meters", Accept_Language="en")).text)

    assert "Medidor principal Pousada kWh 9 Mar" in text
    assert "1 meter has sent nothing for two days or more." in text


async def test_fresh(open_service: Service) -> None:
    """A meter that is heard of is not silent; what it lacks of the last days is counted."""
    await week.fill(open_service)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await week.send(open_service.client, hour - timedelta(days=3), ["1"] * 288, "actual")
    text = shown((await open_service.get("/console/meters", Accept_Language="pt-BR")).text)

    assert "Todos enviaram leituras nos últimos dois dias." in text
    # 288 of the 2,880 quarters of 30 days.
    assert "10,0 % faltam 2.592 intervalos" in text


async def test_search(open_service: Service) -> None:
    """Meters are found by name, id or serial number, and by their site."""
    await week.fill(open_service)
    found = await open_service.get("/console/meters?search=PRINCIPAL")
    none = await open_service.get("/console/meters?search=nothing&site=")
    elsewhere = await open_service.get("/console/meters?site=nowhere")

    assert "Medidor principal" in found.text
    assert 'value="PRINCIPAL"' in found.html
    assert "No meter is called so." in none.text
    assert "No meter is called so." in elsewhere.text


async def test_pages(open_service: Service) -> None:
    """Many meters come page by page."""
    await week.fill(open_service)
    for number in range(51):
        meter = {"site": "inn", "name": f"Meter {number:02d}", "channels": [week.CHANNEL]}
        await week.put(open_service.client, "PUT", f"/v1/meters/m{number:02d}", meter)
    first = await open_service.get("/console/meters")
    href = first.html.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    second = await open_service.get(href.replace("&amp;", "&"))

    assert "Meter 48" in first.text
    assert "Meter 50" not in first.text
    assert "Meter 50" in second.text
    assert "To the first ones" in second.text


async def test_none(open_service: Service) -> None:
    """Without a meter the page says so, and how to go on."""
    page = await open_service.get("/console/meters")
    assert "There are no meters yet." in page.text


async def test_stranger(service: Service) -> None:
    """Who may not read is told so; who has not signed in is asked to."""
    assert (await service.get("/console/meters")).path.startswith("/console/sign-in")
    await service.sign_in("tariffs:write")
    assert (await service.get("/console/meters")).status == 403

"""What the API gives, it takes."""

from typing import Any

import aiohttp


async def test_readings_come_back_as_they_went(api_here: aiohttp.ClientSession) -> None:
    """What GET gives as NDJSON changes nothing when it is imported."""
    site = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
    meter = {"site": "home", "channels": [{**channel, "unit": "kWh", "interval": "PT15M"}]}
    sent = {"meter": "m", "start": "2026-03-01T00:00:00-03:00", "interval": "PT15M"}
    values = [0.412, None, 0.1, 12]
    for method, path, body in (
        ("PUT", "/v1/sites/home", site),
        ("PUT", "/v1/meters/m", meter),
        ("POST", "/v1/readings", {"series": [{**sent, "values": values}]}),
    ):
        async with api_here.request(method, path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
    query = {"start": "2026-03-01T00:00:00-03:00", "end": "2026-03-01T01:00:00-03:00"}
    headers = {"Accept": "application/x-ndjson"}
    async with api_here.get("/v1/meters/m/readings", params=query, headers=headers) as answer:
        assert answer.content_type == "application/x-ndjson"
        text = await answer.read()

    async with api_here.post("/v1/imports", params={"format": "ndjson"}, data=text) as answer:
        outcome: Any = await answer.json()

    assert len(text.splitlines()) == 4
    assert (outcome["received"], outcome["created"], outcome["unchanged"]) == (4, 0, 3)
    assert (outcome["missing"], outcome["problems"]) == (1, [])

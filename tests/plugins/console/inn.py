"""An inn with two days of readings, under a tariff whose bill is worked out by hand.

Each hour uses 10 kWh, but for Tuesday at 19:00, which uses 50. Ponta is 18:00 to 21:00 of working
days, so 6 hours with 100 kWh; fora ponta is the other 42 hours, with 420. ICMS of 20 % is within
the prices: each is the rate divided by 0.8.

    Consumo, ponta, TUSD       100 kWh x  1.25    125.00
    Consumo, ponta, TE         100 kWh x  0.625    62.50
    Consumo, fora ponta        420 kWh x  0.25    105.00
    Demanda                     50 kW  x 12.50    625.00
    Demanda, ultrapassagem      10 kW  x 25.00    250.00
    Iluminação pública                             10.00
                                                1,177.50, of which ICMS 235.50
"""

from copy import deepcopy
from typing import Any, Final

from tests.plugins.console.service import Service

METER: Final = "main"
CONTRACT: Final = "inn-2026"
TOTAL: Final = "1177.50"
TARIFF: Final[dict[str, Any]] = {
    "id": "verde",
    "name": "Verde of the test",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [
        {
            "valid_from": "2026-01-01",
            "language": "pt-BR",
            "charges": [
                {
                    "kind": "energy.time_of_use",
                    "code": "consumo",
                    "description": "Consumo",
                    "schedule": {
                        "default": "fora_ponta",
                        "rules": [
                            {
                                "period": "ponta",
                                "days": ["weekday"],
                                "from": "18:00",
                                "to": "21:00",
                            }
                        ],
                    },
                    "rates": {
                        "ponta": {"components": {"tusd": "1.00", "te": "0.50"}},
                        "fora_ponta": "0.20",
                    },
                },
                {
                    "kind": "demand.contracted",
                    "code": "demanda",
                    "description": "Demanda",
                    "interval": "PT1H",
                    "contracted": "40",
                    "rate": "10.00",
                    "overrun": {"tolerance_percent": "5", "multiplier": "2", "rate": "10.00"},
                },
                {
                    "kind": "fixed",
                    "code": "iluminacao_publica",
                    "description": "Iluminação pública",
                    "amount": "8.00",
                    "per": "bill",
                },
                {
                    "kind": "tax",
                    "code": "tributos",
                    "form": "inside_product",
                    "show": "information",
                    "taxes": [{"name": "icms", "rate": "0.20"}],
                },
            ],
        }
    ],
}


async def send(service: Service, method: str, path: str, body: object = None) -> Any:
    """Send a request to the API that must succeed, and return its answer."""
    async with service.client.request(method, path, json=body) as answer:
        said = await answer.json() if answer.content_length != 0 else None
        assert answer.status < 300, (method, path, answer.status, said)
        return said


async def fill(
    service: Service, quality: str | None = None, charges: list[dict[str, Any]] | None = None
) -> None:
    """Make the inn; *quality* is that of its first hour, *charges* are in place of its own."""
    site = {"name": "Pousada", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    await send(service, "PUT", "/v1/sites/inn", site)
    channel = {
        "id": "import",
        "quantity": "active_energy",
        "direction": "import",
        "unit": "kWh",
        "interval": "PT1H",
    }
    meter = {"site": "inn", "name": "Principal", "channels": [channel]}
    await send(service, "PUT", f"/v1/meters/{METER}", meter)
    tariff = deepcopy(TARIFF)
    if charges is not None:
        tariff["versions"][0]["charges"] = charges
    await send(service, "POST", "/v1/tariffs", tariff)
    contract = {"id": CONTRACT, "meter": METER, "tariff": "verde", "start": "2026-03-02"}
    await send(service, "POST", "/v1/contracts", contract)
    values = [10] * 48
    values[24 + 19] = 50
    await read(service, "2026-03-02T01:00:00-03:00", values[1:])
    await read(service, "2026-03-02T00:00:00-03:00", values[:1], quality)


async def read(service: Service, start: str, values: list[int], quality: str | None = None) -> None:
    """Send readings of consecutive hours."""
    series: dict[str, Any] = {
        "meter": METER,
        "channel": "import",
        "start": start,
        "interval": "PT1H",
        "values": values,
    }
    if quality is not None:
        series["quality"] = quality
    await send(service, "POST", "/v1/readings", {"series": [series]})


async def draft(service: Service, start: str = "2026-03-02", end: str = "2026-03-04") -> str:
    """Draft the bill, and return its id."""
    body = {"contract": CONTRACT, "start": start, "end": end}
    made: dict[str, str] = await send(service, "POST", "/v1/bills", body)
    return made["id"]


async def issue(service: Service) -> str:
    """Draft and issue the bill, and return its id."""
    bill = await draft(service)
    await send(service, "POST", f"/v1/bills/{bill}/issue")
    return bill

"""A week of an inn, small enough to be worked out by hand."""

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.plugins.console.service import Service
from tests.serving import Client

METER: Final = "inn"
ZONE: Final = ZoneInfo("America/Sao_Paulo")
#: Monday: seven days of quarter-hours from here.
START: Final = datetime(2026, 3, 2, tzinfo=ZONE)
#: Friday, a quarter past eight: 11.35 kWh, which are 45.4 kW.
PEAK: Final = datetime(2026, 3, 6, 8, 15, tzinfo=ZONE)
#: Ten quarter-hours without a reading.
GAP: Final = (datetime(2026, 3, 4, 2, tzinfo=ZONE), datetime(2026, 3, 4, 4, 30, tzinfo=ZONE))
#: Eleven of them are estimated.
ESTIMATED: Final = (
    datetime(2026, 3, 7, 13, 15, tzinfo=ZONE),
    datetime(2026, 3, 7, 16, 0, tzinfo=ZONE),
)
_QUARTER: Final = timedelta(minutes=15)
CHANNEL: Final = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT15M",
}
TARIFF: Final = {
    "id": "verde",
    "name": "A4 Verde",
    "currency": "BRL",
    "timezone": ZONE.key,
    "versions": [
        {
            "valid_from": "2025-01-01",
            "charges": [
                {
                    "kind": "energy.time_of_use",
                    "code": "consumo",
                    "schedule": {
                        "default": "fora_ponta",
                        "rules": [
                            {"period": "ponta", "days": ["weekday"], "from": "18:00", "to": "21:00"}
                        ],
                    },
                    "rates": {"ponta": "2", "fora_ponta": "0.5"},
                },
                {
                    "kind": "demand.contracted",
                    "code": "demanda",
                    "rate": "16",
                    "interval": "PT15M",
                    "contracted": "40",
                    "overrun": {"tolerance_percent": "5", "multiplier": "2"},
                },
            ],
        }
    ],
}


async def put(client: Client, method: str, path: str, body: object) -> Any:
    """Send what must be taken."""
    async with client.request(method, path, json=body) as answer:
        assert answer.status < 300, (path, await answer.text())
        return await answer.json()


async def fill(service: Service, *, contract: bool = True) -> None:
    """Store a week: 1 kWh a quarter, 2 kWh in the ponta of working days, and one peak."""
    client = service.client
    site = {"name": "Pousada", "timezone": ZONE.key, "country": "BR", "currency": "BRL"}
    await put(client, "PUT", "/v1/sites/inn", site)
    meter = {"site": "inn", "name": "Medidor principal", "serial": "77", "channels": [CHANNEL]}
    await put(client, "PUT", f"/v1/meters/{METER}", meter)
    slots = [START + _QUARTER * index for index in range(7 * 96)]
    for low, high, quality in (
        (START, GAP[0], "actual"),
        (GAP[1], ESTIMATED[0], "actual"),
        (*ESTIMATED, "estimated"),
        (ESTIMATED[1], START + timedelta(days=7), "actual"),
    ):
        values = [_value(slot) for slot in slots if low <= slot < high]
        await send(client, low, values, quality)
    if contract:
        await put(client, "PUT", "/v1/tariffs/verde", TARIFF)
        on = {"id": "inn", "meter": METER, "tariff": "verde", "start": "2026-01-01"}
        await put(client, "POST", "/v1/contracts", on)


async def send(client: Client, start: datetime, values: list[str], quality: str) -> None:
    """Store quarter-hours from an instant on."""
    one = {
        "meter": METER,
        "start": start.isoformat(),
        "interval": "PT15M",
        "values": values,
        "quality": quality,
    }
    await put(client, "POST", "/v1/readings", {"series": [one]})


def _value(slot: datetime) -> str:
    if slot == PEAK:
        return "11.35"
    return "2" if slot.weekday() < 5 and 18 <= slot.hour < 21 else "1"

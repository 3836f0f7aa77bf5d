"""A meter of two months whose costs can be worked out by hand, and tariffs for it.

January and February 2026, UTC: 59 days of 24 hours, each even hour 2 kWh and each odd one 1 kWh:
36 kWh a day, 5 of them in the peak from 18:00 to 21:00 (2 + 1 + 2), and 2,124 kWh in all.
"""

from typing import Any, Final

from tests.plugins.console.customers import Client, send

DAYS: Final = 59
METER: Final = "shop-1"
_SCHEDULE: Final = {
    "default": "off_peak",
    "rules": [{"period": "peak", "from": "18:00", "to": "21:00"}],
}
#: 0.30 for each kWh: 637.20.
FLAT: Final = {"kind": "energy.flat", "description": "Electricity", "rate": "0.30"}
#: A day 5 x 0.60 + 31 x 0.25 = 10.75: 634.25.
BY_TIME: Final = {
    "kind": "energy.time_of_use",
    "description": "Electricity",
    "schedule": _SCHEDULE,
    "rates": {"peak": "0.60", "off_peak": "0.25"},
}
#: The highest hour of each month is 2 kW: 40.00 for both.
DEMAND: Final = {"kind": "demand", "description": "Demand", "interval": "PT1H", "rate": "10"}


def tariff(name: str, *charges: dict[str, Any], currency: str = "GBP") -> dict[str, Any]:
    """Return a tariff that is in force from 2026 on."""
    version = {"valid_from": "2026-01-01", "charges": list(charges)}
    return {"name": name, "currency": currency, "timezone": "UTC", "versions": [version]}


async def make_shop(client: Client) -> None:
    """Make the site and its meter, without readings."""
    site = {"name": "Shop", "timezone": "UTC", "country": "GB", "currency": "GBP"}
    await send(client, "PUT", "/v1/sites/shop", site)
    channel = {
        "id": "import",
        "quantity": "active_energy",
        "direction": "import",
        "unit": "kWh",
        "interval": "PT1H",
    }
    body = {"site": "shop", "name": "Main meter", "channels": [channel]}
    await send(client, "PUT", f"/v1/meters/{METER}", body)


async def read_two_months(client: Client, missing: int = 0) -> None:
    """Send the readings; the last hours may be missing."""
    values = [2 - hour % 2 for hour in range(24 * DAYS - missing)]
    series = {
        "meter": METER,
        "channel": "import",
        "start": "2026-01-01T00:00:00Z",
        "interval": "PT1H",
        "values": values,
    }
    await send(client, "POST", "/v1/readings", {"series": [series]})


async def make_tariffs(client: Client, **tariffs: dict[str, Any]) -> None:
    """Store tariffs by their ids."""
    for id_, document in tariffs.items():
        await send(client, "PUT", f"/v1/tariffs/{id_}", document)


async def agree(client: Client, tariff_id: str, **parameters: object) -> None:
    """Make the contract of the meter, or change it."""
    body = {
        "meter": METER,
        "tariff": tariff_id,
        "start": "2026-01-01",
        "parameters": parameters,
    }
    await send(client, "PUT", "/v1/contracts/agreed", body)

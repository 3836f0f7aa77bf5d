"""A household to bill: its meter, readings, tariff and contract; and what its service answers."""

from typing import Any

from tests.core.pricing.asking import answer_of
from tests.serving import Client

SITE = {"name": "Home", "timezone": "UTC", "country": "BR", "currency": "BRL"}
CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT1H",
}
#: Half a real for a kilowatt-hour: 24 of them are a day of 12.00.
FLAT = {"kind": "energy.flat", "rate": "0.50"}
RATCHET = {"kind": "test.ratchet", "rate": "1"}
CONTRACT = {"meter": "m", "tariff": "flat", "start": "2025-03-01"}
ZONE = "UTC"


def tariff(*charges: dict[str, Any], **version: Any) -> dict[str, Any]:
    """Return a tariff with one version, from 2025 on."""
    return tariff_of({"valid_from": "2025-01-01", "charges": charges or [FLAT], **version})


def tariff_of(*versions: dict[str, Any]) -> dict[str, Any]:
    """Return a tariff with these versions."""
    return {"name": "Flat", "currency": "BRL", "timezone": ZONE, "versions": list(versions)}


def day(first: int, past: int | None = None) -> dict[str, str]:
    """Return the period of a day of March, or of several until *past*."""
    return {"start": f"2025-03-{first:02}", "end": f"2025-03-{past or first + 1:02}"}


async def success(client: Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Return the answer to a request that must be granted."""
    status, answer = await answer_of(client, method, path, body)
    assert status in (200, 201, 202, 204), answer
    return answer


async def refusal(
    client: Client, method: str, path: str, body: object = None
) -> tuple[int, str, dict[str, str]]:
    """Return the status, the code and the faults by pointer of a request that must be refused."""
    status, problem = await answer_of(client, method, path, body)
    assert status >= 400, problem
    codes = {fault.get("pointer", ""): fault["code"] for fault in problem.get("errors", ())}
    return status, problem["code"], codes


async def meter(client: Client, id_: str = "m", *channels: dict[str, Any]) -> None:
    """Make a meter of the home: with one hourly channel, unless told otherwise."""
    body = {"site": "home", "channels": channels or [CHANNEL]}
    await success(client, "PUT", f"/v1/meters/{id_}", body)


async def hours(
    client: Client, first: int, *values: float | None, meter: str = "m", channel: str | None = None
) -> None:
    """Send days of March from a *first* one on, each with a value for all its hours."""
    sent: dict[str, Any] = {"meter": meter, "interval": "PT1H"}
    if channel:
        sent["channel"] = channel
    start = f"2025-03-{first:02}T00:00:00Z"
    series = {**sent, "start": start, "values": [value for value in values for _ in range(24)]}
    await success(client, "POST", "/v1/readings", {"series": [series]})


async def store_household(client: Client, document: dict[str, Any] | None = None) -> None:
    """Store the home, its meter with ten days of 1 kWh an hour, the tariff and a contract `c`."""
    await success(client, "PUT", "/v1/sites/home", SITE)
    await meter(client)
    await hours(client, 1, *[1] * 10)
    await success(client, "PUT", "/v1/tariffs/flat", document or tariff())
    await success(client, "PUT", "/v1/contracts/c", CONTRACT)


async def draft(client: Client, id_: str, first: int, past: int | None = None) -> dict[str, Any]:
    """Draft a bill of the contract `c`."""
    return await success(
        client, "POST", "/v1/bills", {"id": id_, "contract": "c", **day(first, past)}
    )


async def issued(client: Client, id_: str, first: int, past: int | None = None) -> dict[str, Any]:
    """Draft a bill of the contract `c` and issue it."""
    await draft(client, id_, first, past)
    return await success(client, "POST", f"/v1/bills/{id_}/issue")


async def corrected(client: Client, bill: str, id_: str) -> dict[str, Any]:
    """Correct a bill and issue the correction."""
    await success(client, "POST", "/v1/bills", {"id": id_, "corrects": bill})
    return await success(client, "POST", f"/v1/bills/{id_}/issue")

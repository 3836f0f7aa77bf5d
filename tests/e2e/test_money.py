"""Money is told with the decimals of its currency, in every answer that has some."""

import re
from collections.abc import Iterator
from typing import Any, Final

import aiohttp
import pytest

ZONE: Final = "America/Sao_Paulo"
DAY: Final = {"start": "2026-03-02", "end": "2026-03-03"}
#: Fields that are money, unless they are rates or quantities by where they are.
MONEY: Final = ("amount", "total", "difference", "billed", "supplier", "supplier_sum")
#: 10 kWh cost 12.50; nothing is exported; a tax is added.
CHARGES: Final[list[dict[str, Any]]] = [
    {"kind": "energy.flat", "code": "energy", "rate": "1.25"},
    {"kind": "fixed", "code": "nothing", "amount": "0", "per": "bill"},
    {"kind": "tax", "form": "add_on", "taxes": [{"name": "iva", "rate": "0.2"}]},
]


def amounts(answer: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield what an answer says of money, each with its place; quantities are no money."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name in MONEY and isinstance(value, str):
                yield f"{place}/{name}", value
            elif name not in ("quantity", "inputs", "charges", "parameters"):
                yield from amounts(value, f"{place}/{name}")
    elif isinstance(answer, list):
        for index, value in enumerate(answer):
            yield from amounts(value, f"{place}/{index}")


async def send(api: aiohttp.ClientSession, request: str, body: object = None) -> Any:
    """Send a request that must succeed, and return the answer."""
    method, path = request.split()
    async with api.request(method, path, json=body) as answer:
        found = await answer.json()
        assert answer.status in (200, 201), found
        return found


def tariff(currency: str, rounding: dict[str, object]) -> dict[str, object]:
    """Return a tariff that rounds so."""
    version = {"valid_from": "2026-01-01", "charges": CHARGES, "rounding": rounding}
    return {"name": "T", "currency": currency, "timezone": ZONE, "versions": [version]}


async def household(api: aiohttp.ClientSession, currency: str, rounding: dict[str, Any]) -> None:
    """Make a home that used 10 kWh on a day, and its contract."""
    site = {"name": "Casa", "timezone": ZONE, "country": "BR", "currency": currency}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
    channel |= {"unit": "kWh", "interval": "PT1H"}
    series = {"meter": "m", "start": "2026-03-02T00:00:00-03:00", "interval": "PT1H"}
    contract = {"meter": "m", "tariff": "t", "start": DAY["start"]}
    await send(api, "PUT /v1/sites/s", site)
    await send(api, "PUT /v1/meters/m", {"site": "s", "channels": [channel]})
    await send(api, "POST /v1/readings", {"series": [{**series, "values": [10] + [0] * 23}]})
    await send(api, "PUT /v1/tariffs/t", tariff(currency, rounding))
    await send(api, "PUT /v1/contracts/c", contract)


@pytest.mark.parametrize(
    ("currency", "rounding", "total"),
    [
        ("BRL", {"amount_decimals": 0}, "16.00"),
        ("BRL", {"amount_decimals": 0, "level": "total"}, "15.00"),
        ("BRL", {"step": "0.5", "amount_decimals": 0}, "15.00"),
        ("BRL", {"amount_decimals": 4}, "15.0000"),
        ("JPY", {"amount_decimals": 0}, "16"),
        ("KWD", {"amount_decimals": 2}, "15.000"),
    ],
    ids=repr,
)
async def test_every_answer_tells_money_so(
    api: aiohttp.ClientSession, currency: str, rounding: dict[str, Any], total: str
) -> None:
    """Costs, comparisons, bills, their explanations and checks; zero, taxes and differences too."""
    await household(api, currency, rounding)
    printed = {"lines": [{"description": "Energy", "amount": "13"}], "total": "15"}
    bill = await send(api, "POST /v1/bills", {"id": "b", "contract": "c", **DAY})

    answers = {
        "cost": await send(api, "POST /v1/costs", {"meter": "m", "tariff": "t", **DAY}),
        "days": await send(
            api, "POST /v1/costs", {"meter": "m", "tariff": "t", **DAY, "group": "P1D"}
        ),
        "comparison": await send(
            api, "POST /v1/costs/compare", {"meter": "m", "tariffs": ["t"], **DAY}
        ),
        "to date": await send(api, f"GET /v1/contracts/c/to-date?start={DAY['start']}"),
        "bill": bill,
        "issued": await send(api, "POST /v1/bills/b/issue"),
        "explanation": await send(api, "GET /v1/bills/b/explain"),
        "check": await send(api, "POST /v1/bills/b/check", printed),
    }

    decimals = {"BRL": 2, "JPY": 0, "KWD": 3}[currency]
    money = re.compile(rf"-?\d+\.\d{{{decimals},}}" if decimals else r"-?\d+(\.\d+)?")
    told = [pair for name, answer in answers.items() for pair in amounts(answer, name)]
    assert [pair for pair in told if not money.fullmatch(pair[1])] == []
    assert len(told) > 30
    assert (answers["cost"]["total"], bill["total"]) == (total, total)


async def test_what_is_not_rounded_is_money_too(api: aiohttp.ClientSession) -> None:
    """A tariff that leaves amounts exact has more decimals than the currency, never fewer."""
    await household(api, "BRL", {})
    exact = tariff("BRL", {"amount_decimals": None})

    found = await send(api, "POST /v1/costs", {"meter": "m", "tariff": exact, **DAY})

    assert found["total"] == "15.00"
    assert [line["amount"] for line in found["lines"]] == ["12.50", "0.00", "2.50"]

"""`POST /v1/tariffs/import` and `GET /v1/tariff-formats`."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.web.resources import examples
from energia_plugins import tariff_fixed, tariff_flat, tariff_time_of_use, tariff_urdb
from tests.core.pricing.asking import answer_of, pointers
from tests.serving import Client, Serving, make_core

PATH = "/v1/tariffs/import?format=urdb&timezone=America/Chicago"
RATE: dict[str, Any] = {
    "energyratestructure": [[{"rate": 0.1, "adj": 0.0347738}]],
    "startdate": "2026-01-01",
    "sector": "Residential",
}


def _plugins() -> Plugins:
    """Return an importer, and charges for what it reads."""
    return Plugins.of(
        tariff_fixed=tariff_fixed,
        tariff_flat=tariff_flat,
        tariff_time_of_use=tariff_time_of_use,
        tariff_urdb=tariff_urdb,
    )


@pytest.fixture(name="importing")
async def _importing(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with an importer, whose database is away."""
    async with serving(make_core(plugins=_plugins())) as client:
        yield client


@pytest.fixture(name="storing")
async def _storing(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of one with a fresh database."""
    async with serving(make_core(plugins=_plugins(), pool=pool)) as client:
        yield client


async def test_a_rate_becomes_a_tariff_without_the_database(importing: Client) -> None:
    """Its numbers are exact, and what is left out is told."""
    status, found = await answer_of(importing, "POST", PATH, RATE)

    assert status == 200
    (charge,) = found["tariff"]["versions"][0]["charges"]
    assert (charge["kind"], charge["rate"]) == ("energy.flat", "0.1347738")
    assert found["tariff"]["currency"] == "USD"
    assert [(one["pointer"], one["code"]) for one in found["warnings"]] == [
        ("/sector", "informational")
    ]


async def test_a_bound_that_stands_for_infinity_is_read(importing: Client) -> None:
    """SAM writes 1e38, a number that no tariff of ours takes."""
    rate = {**RATE, "energyratestructure": [[{"rate": 0.1, "max": 9.999999680285692e37}]]}

    status, found = await answer_of(importing, "POST", PATH, rate)

    assert (status, found["tariff"]["versions"][0]["charges"][0]["rate"]) == (200, "0.1")


async def test_the_tariff_can_be_put_as_it_is(storing: Client) -> None:
    """All examples of the documentation can."""
    for number, body in enumerate(examples("tariff_imports").values()):
        _, found = await answer_of(storing, "POST", f"{PATH}&currency=CAD", body)
        status, stored = await answer_of(storing, "PUT", f"/v1/tariffs/t{number}", found["tariff"])

        assert status == 201
        assert stored == {"id": f"t{number}", **found["tariff"]}


async def test_what_cannot_be_priced_is_422_with_pointers(importing: Client) -> None:
    """Into the source; the detail says where, if it is one thing."""
    body = {**RATE, "energyratestructure": [[{"rate": "ten"}]]}

    status, problem = await answer_of(importing, "POST", PATH, body)

    assert (status, problem["code"]) == (422, "invalid")
    assert pointers(problem) == {"/energyratestructure/0/0/rate": "wrong_type"}
    assert problem["detail"].startswith("/energyratestructure/0/0/rate: 'ten'")


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("format=urdbb&timezone=UTC", "/query/format", "unknown_format"),
        ("format=urdb", "/query/timezone", "missing_field"),
        ("format=urdb&timezone=Mars", "/query/timezone", "unknown_timezone"),
        ("format=urdb&timezone=UTC&tier_scope=mine", "/query/tier_scope", "unknown_value"),
        ("format=urdb&timezone=UTC&currency=XXZ", "/query/currency", "unknown_currency"),
        ("format=urdb&timezone=UTC&exports=some", "/query/exports", "unknown_value"),
    ],
)
async def test_options_are_checked(importing: Client, query: str, pointer: str, code: str) -> None:
    """A format that is nearly one is suggested."""
    status, problem = await answer_of(importing, "POST", f"/v1/tariffs/import?{query}", RATE)

    assert status == 422
    assert pointers(problem) == {pointer: code}


async def test_a_charge_whose_plugin_is_away_is_told(importing: Client) -> None:
    """The tariff that would be made is checked before it is given."""
    body = {**RATE, "mincharge": 10}

    status, problem = await answer_of(importing, "POST", PATH, body)

    assert (status, pointers(problem)) == (422, {"": "unknown_kind"})


async def test_the_formats_are_listed(importing: Client) -> None:
    """Each with what it reads."""
    _, page = await answer_of(importing, "GET", "/v1/tariff-formats")

    assert [one["name"] for one in page["items"]] == ["urdb"]
    assert all(one["description"] for one in page["items"])

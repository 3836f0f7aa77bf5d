"""Tariffs in the database."""

from typing import Any

import attrs
import pytest

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import Conflict, NotFound
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins.tariff_flat import Flat
from tests.core.pricing.documents import CONVERTER, document, read

CHARGES: list[dict[str, Any]] = [
    {"kind": "energy.flat", "rate": "0.300", "description": "Energia 100 % → é"},
    {"kind": "fixed", "amount": "10.00", "per": "month"},
]


def tariff(id_: str, *versions: tuple[str, str | None]) -> Tariff:
    """Return a tariff with these versions."""
    body = document(CHARGES, "America/Sao_Paulo", "BRL")
    listed = versions or (("2026-01-01", None),)
    body["versions"] = [
        {"valid_from": begins, "charges": CHARGES} | ({"valid_to": ends} if ends else {})
        for begins, ends in listed
    ]
    return attrs.evolve(read(body), id=id_)


@pytest.fixture
def tariffs(tenant: Tenant) -> Tariffs:
    """Give the tariffs of a fresh database."""
    return Tariffs(tenant, CONVERTER)


async def test_what_is_put_comes_back(tariffs: Tariffs) -> None:
    """A tariff is read as it was written, to the last digit."""
    sent = tariff("branca", ("2026-01-01", "2026-06-01"), ("2026-06-01", None))

    assert await tariffs.put(sent) is True
    assert await tariffs.get("branca") == sent


async def test_putting_replaces_the_whole_tariff(tariffs: Tariffs) -> None:
    """Versions that are not listed go, the others stay or change; again changes nothing."""
    await tariffs.put(tariff("branca", ("2026-01-01", "2026-06-01"), ("2026-06-01", None)))
    after = attrs.evolve(tariff("branca", ("2026-06-01", "2027-01-01")), name="other")

    assert [await tariffs.put(after) for _ in range(2)] == [False, False]
    assert await tariffs.get("branca") == after


async def test_adding_refuses_an_id_that_is_taken(tariffs: Tariffs) -> None:
    """The tariff that is there stays as it is."""
    first = tariff("branca")
    await tariffs.add(first)

    with pytest.raises(Conflict):
        await tariffs.add(attrs.evolve(first, name="other"))

    assert await tariffs.get("branca") == first


async def test_pages_go_by_id(tariffs: Tariffs) -> None:
    """A page begins after the last id of the page before."""
    for id_ in ("c", "a", "b"):
        await tariffs.put(tariff(id_))

    assert [one.id for one in await tariffs.page("", 2)] == ["a", "b"]
    assert [one.id for one in await tariffs.page("b", 2)] == ["c"]


async def test_those_that_are_known_come_by_id(tariffs: Tariffs) -> None:
    """One that is not there is left out."""
    for id_ in ("a", "b"):
        await tariffs.put(tariff(id_))

    assert await tariffs.known(["b", "x", "a", "b"]) == {"a": tariff("a"), "b": tariff("b")}


async def test_deleting_takes_the_versions_along(tariffs: Tariffs) -> None:
    """A deleted tariff is gone; deleting it again says so."""
    await tariffs.put(tariff("a"))

    await tariffs.delete("a")

    with pytest.raises(NotFound):
        await tariffs.get("a")
    with pytest.raises(NotFound):
        await tariffs.delete("a")


async def test_a_tariff_whose_plugin_is_gone_is_a_conflict(tenant: Tenant) -> None:
    """What was stored under other plugins is no fault of the request."""
    await Tariffs(tenant, CONVERTER).put(tariff("a"))
    fewer = Tariffs(tenant, tariff_converter({"energy.flat": Flat}))

    with pytest.raises(Conflict, match="'a' does not fit the loaded plugins") as refused:
        await fewer.get("a")

    assert [fault.code for fault in refused.value.faults] == ["unknown_kind"]


async def test_an_organization_sees_only_its_own(pool: Pool, tenant: Tenant) -> None:
    """Another organization has no such tariff."""
    await Tariffs(tenant, CONVERTER).put(tariff("a"))
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    other = Tariffs(pool.tenant(2), CONVERTER)

    assert await other.page("", 10) == []

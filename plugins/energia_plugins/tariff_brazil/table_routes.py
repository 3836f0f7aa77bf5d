"""`/v1/brazil/tables`, and `/v1/brazil/tariffs`: tariffs that follow the tables."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final

import attrs
from msgspec import Meta

from energia import Conflict, Core, Created, Id, NotFound, Routes, Tenant
from energia.db.holds import holding
from energia_plugins.tariff_brazil.inventory import content
from energia_plugins.tariff_brazil.request import TariffRequest
from energia_plugins.tariff_brazil.shelf import Shelf
from energia_plugins.tariff_brazil.table_files import Folder, names
from energia_plugins.tariff_brazil.tables import Tables
from energia_plugins.tariff_brazil.upkeep import (
    TariffUpkeep,
    TariffUpkeeps,
    follow,
    followed,
    page,
    unfollow,
)

__all__ = ["table_routes"]

#: Who prices, and who stores tariffs.
_PRICERS: Final = ("readings:read", "tariffs:write", "billing")
_WRITERS: Final = ("tariffs:write",)
_CHECKED: Final = "select name, fetched_at, checked_at, trouble from brazil_table"
_TariffId = Annotated[Id, Meta(description="The id of the tariff.", examples=["home-in-rio"])]
_Limit = Annotated[int, Meta(ge=1, le=1000, description="How many at most.")]
_Cursor = Annotated[
    str,
    Meta(
        pattern=r"^(after:[A-Za-z0-9._:-]{1,64})?$",
        extra={"words": "the `next` of a page of this list"},
        description="The `next` of the page before; empty for the first.",
    ),
]


@attrs.frozen(kw_only=True)
class BrazilianTable:
    """A table of the kit, as it is used.

    Attributes:
        name: The name of its file.
        origin: Where it is from: `energia` is the release, else a folder or a URL.
        rows: How many rows it has.
        newest: From when on its newest row holds; null where rows have no dates.
        fetched_at: When it was fetched; null if it was not.
        checked_at: When its URL was asked last; null if it has none.
        trouble: Why the last file from its URL was not taken; null if it was.

    """

    name: str
    origin: str
    rows: int
    newest: date | None
    fetched_at: datetime | None
    checked_at: datetime | None
    trouble: str | None


@attrs.frozen(kw_only=True)
class BrazilianTables:
    """The tables of the kit.

    Attributes:
        version: Tells all of them, and the release, from others.
        items: By name.

    """

    version: str
    items: tuple[BrazilianTable, ...]


@attrs.frozen
class _Checked:
    """How a table from a URL is doing, in the order of the columns."""

    name: str
    fetched_at: datetime | None
    checked_at: datetime
    trouble: str | None


def table_routes(shelf: Shelf, examples: Mapping[str, object]) -> Routes:
    """Return the routes of the tables, and of tariffs that follow them.

    Args:
        shelf: The tables.
        examples: Customers.

    """
    routes = Routes(tag="Brazil", reads=_PRICERS, writes=_WRITERS)

    @routes.get("/v1/brazil/tables")
    async def list_brazilian_tables(core: Core) -> BrazilianTables:
        """List the tables, with where they are from and how new they are."""
        folder, known = await shelf.both(core)
        checked = await core.pool.everywhere().fetch(_Checked, _CHECKED) if shelf.fetches else []
        return in_use(folder, known, {one.name: one for one in checked})

    @routes.get("/v1/brazil/tariffs")
    async def list_brazilian_tariffs(
        tenant: Tenant, limit: _Limit = 100, cursor: _Cursor = ""
    ) -> TariffUpkeeps:
        """List the tariffs that follow the tables, by id."""
        return await page(tenant, cursor, limit)

    @routes.get(
        "/v1/brazil/tariffs/{tariff}",
        errors=(NotFound,),
        holds=holding("brazil_tariff", "tariff_id"),
    )
    async def get_brazilian_tariff(tariff: _TariffId, tenant: Tenant) -> TariffUpkeep:
        """Return by which request a tariff is made, when it was, and whether it follows."""
        return await followed(tenant, tariff)

    @routes.put("/v1/brazil/tariffs/{tariff}", errors=(Conflict,), examples=examples)
    async def put_brazilian_tariff(
        tariff: _TariffId, body: TariffRequest, core: Core, tenant: Tenant
    ) -> TariffUpkeep | Created[TariffUpkeep]:
        """Store the tariff of a customer, which follows the tables from then on.

        It is the tariff of this id, for contracts and for `GET /v1/tariffs/{tariff}`. When tables
        change it is made anew: what issued bills are by stays as it is, to the last day that is
        billed, and all that comes after is as the tables say.
        """
        found, created = await follow(core, tenant, tariff, body, await shelf.tables(core))
        return Created(f"/v1/brazil/tariffs/{tariff}", found) if created else found

    @routes.delete("/v1/brazil/tariffs/{tariff}", errors=(NotFound,))
    async def delete_brazilian_tariff(tariff: _TariffId, tenant: Tenant) -> None:
        """Let a tariff follow the tables no more; the tariff itself stays as it is."""
        await unfollow(tenant, tariff)

    return routes


def in_use(folder: Folder, known: Tables, checked: dict[str, _Checked]) -> BrazilianTables:
    """Return the tables that are used, with how those from URLs are doing."""
    items = []
    for name in names():
        file, url = folder.file(name), checked.get(name)
        found = content(file, known)
        items.append(
            BrazilianTable(
                name=name,
                origin=file.origin.partition("?")[0],  # what comes after may be a secret
                rows=found.rows,
                newest=found.newest,
                fetched_at=url.fetched_at if url else None,
                checked_at=url.checked_at if url else None,
                trouble=url.trouble if url else None,
            )
        )
    return BrazilianTables(version=known.version, items=tuple(items))

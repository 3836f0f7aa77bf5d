"""Tariffs in the database: a version is kept as its JSON document."""

from collections.abc import Collection
from typing import Any, Final

import attrs

from energia.convert import Converter
from energia.db.queries import load, one_message
from energia.db.tenant import Queries
from energia.errors import Conflict, ForeignKeyViolation, InUse, Invalid, NotFound
from energia.pricing.tariffs import Tariff

SQL: Final = load(__package__)


@attrs.frozen
class Tariffs:
    """The tariffs of an organization.

    Attributes:
        queries: Runs the statements.
        converter: Knows the charges of the loaded plugins.

    """

    queries: Queries
    converter: Converter

    async def put(self, tariff: Tariff) -> bool:
        """Make or replace the tariff, which has an id; versions that it does not list go.

        Returns:
            Whether it was made.

        """
        (created,) = await self.queries.fetch(bool, SQL["tariff_put"], self._row(tariff))
        return created

    async def add(self, tariff: Tariff) -> None:
        """Make the tariff; raises `Conflict` if there is one with its id."""
        if not await self.queries.fetch(str, SQL["tariff_add"], self._row(tariff)):
            raise Conflict(f"there is a tariff {tariff.id!r} already")

    async def get(self, id_: str) -> Tariff:
        """Return a tariff; raises `NotFound`."""
        tariffs = await self.known([id_])
        if id_ not in tariffs:
            raise NotFound(f"there is no tariff {id_!r}")
        return tariffs[id_]

    async def known(self, ids: Collection[str]) -> dict[str, Tariff]:
        """Return those of the tariffs *ids* that there are, by id."""
        rows = await self.queries.fetch(_document, SQL["tariff_get"], {"ids": sorted(set(ids))})
        return {row["id"]: self._read(row) for row in rows}

    async def each(self, ids: Collection[str]) -> dict[str, Tariff | Conflict]:
        """Return those of the tariffs *ids* that there are, or why one cannot be read."""
        rows = await self.queries.fetch(_document, SQL["tariff_get"], {"ids": sorted(set(ids))})
        return {row["id"]: self._read_or_refusal(row) for row in rows}

    async def held(self, ids: Collection[str]) -> dict[str, Tariff | Conflict]:
        """Return tariffs as `each` does; they stay as they are until the transaction ends."""
        arguments = {"ids": sorted(set(ids))}
        rows = await self.queries.fetch(
            _document, one_message(SQL["tariff_hold"], SQL["tariff_get"]), arguments
        )
        return {row["id"]: self._read_or_refusal(row) for row in rows}

    async def page(self, after: str, limit: int) -> list[Tariff]:
        """Return at most *limit* tariffs whose ids come after *after*, by id."""
        rows = await self.queries.fetch(_document, SQL["tariff_list"], after, limit)
        return [self._read(row) for row in rows]

    async def delete(self, id_: str) -> None:
        """Delete a tariff; raises `NotFound`, or `InUse` if a contract refers to it."""
        try:
            deleted = await self.queries.execute(SQL["tariff_delete"], id_)
        except ForeignKeyViolation:
            raise InUse(f"there are contracts of the tariff {id_!r}") from None
        if not deleted:
            raise NotFound(f"there is no tariff {id_!r}")

    def _read(self, document: dict[str, Any]) -> Tariff:
        try:
            return self.converter.structure(document, Tariff)
        except Invalid as error:
            message = f"the stored tariff {document['id']!r} does not fit the loaded plugins"
            raise Conflict(f"{message}: {error.detail}", error.faults) from error

    def _read_or_refusal(self, document: dict[str, Any]) -> Tariff | Conflict:
        try:
            return self._read(document)
        except Conflict as error:
            return error

    def _row(self, tariff: Tariff) -> dict[str, object]:
        return {
            "id": tariff.id,
            "name": tariff.name,
            "currency": tariff.currency,
            "timezone": tariff.timezone,
            "valid_from": [version.valid_from for version in tariff.versions],
            "valid_to": [version.valid_to for version in tariff.versions],
            "documents": [self.converter.dumps(version).decode() for version in tariff.versions],
        }


def _document(id_: str, name: str, currency: str, timezone: str, versions: Any) -> dict[str, Any]:
    """Return the JSON document of a row."""
    return {
        "id": id_,
        "name": name,
        "currency": currency,
        "timezone": timezone,
        "versions": versions or [],
    }

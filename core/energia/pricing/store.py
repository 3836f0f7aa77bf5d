"""Tariffs in the database: a version is kept as its JSON document."""

import re
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Final

import attrs

from energia.convert import Converter
from energia.db.queries import load, one_message
from energia.db.tenant import Queries
from energia.errors import Conflict, Fault, ForeignKeyViolation, InUse, Invalid, NotFound
from energia.plugins.discovery import offering
from energia.pricing.cache import CACHE
from energia.pricing.needs import MissingKind
from energia.pricing.tariffs import Tariff

SQL: Final = load(__package__)
#: Where a fault says that no loaded plugin offers the kind of a charge.
_CHARGE: Final = re.compile(r"/versions/(\d+)/charges/(\d+)/kind")


@attrs.frozen(kw_only=True)
class Unreadable:
    """Why a stored tariff cannot be read.

    Attributes:
        message: For a person.
        missing: The kinds of charge that are missing, with their plugins.
        errors: All that does not fit, with pointers into the tariff.

    """

    __public_name__: ClassVar[str] = "UnreadableReason"

    message: str
    missing: tuple[MissingKind, ...] = ()
    errors: tuple[Fault, ...] = ()


@attrs.frozen(kw_only=True)
class UnreadableTariff:
    """A stored tariff that does not fit the loaded plugins.

    Attributes:
        id: Its id.
        name: For people.
        currency: ISO 4217.
        timezone: The IANA zone of its dates and schedules.
        versions: Its versions, as they are stored.
        unreadable: Why it cannot be read.

    """

    id: str
    name: str
    currency: str
    timezone: str
    versions: tuple[dict[str, Any], ...]
    unreadable: Unreadable


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

    async def add(self, tariff: Tariff) -> bool:
        """Make the tariff, which has an id; raises `Conflict` if there is another one with it.

        Returns:
            Whether it was made: the same one may be there already.

        """
        if await self.queries.fetch(str, SQL["tariff_add"], self._row(tariff)):
            return True
        if await self.get(str(tariff.id)) != tariff:
            raise Conflict(f"there is another tariff {tariff.id!r} already")
        return False

    async def get(self, id_: str) -> Tariff:
        """Return a tariff; raises `NotFound`."""
        tariffs = await self.known([id_])
        if id_ not in tariffs:
            raise NotFound(f"there is no tariff {id_!r}")
        return tariffs[id_]

    async def document(self, id_: str) -> dict[str, Any]:
        """Return a tariff as it is stored, whether it can be read or not; raises `NotFound`."""
        rows = await self.queries.fetch(_document, SQL["tariff_get"], {"ids": [id_]})
        if not rows:
            raise NotFound(f"there is no tariff {id_!r}")
        return rows[0]

    async def known(self, ids: Collection[str]) -> dict[str, Tariff]:
        """Return those of the tariffs *ids* that there are, by id."""
        rows = await self.queries.fetch(_document, SQL["tariff_get"], {"ids": sorted(set(ids))})
        return {row["id"]: self._read(row) for row in rows}

    async def each(self, ids: Collection[str]) -> dict[str, Tariff | Conflict]:
        """Return those of the tariffs *ids* that there are, or why one cannot be read."""
        rows = await self.queries.fetch(_document, SQL["tariff_get"], {"ids": sorted(set(ids))})
        return {row["id"]: self.read(row) for row in rows}

    async def held(self, ids: Collection[str]) -> dict[str, Tariff | Conflict]:
        """Return tariffs as `each` does; they stay as they are until the transaction ends."""
        arguments = {"ids": sorted(set(ids))}
        rows = await self.queries.fetch(
            _document, one_message(SQL["tariff_hold"], SQL["tariff_get"]), arguments
        )
        return {row["id"]: self.read(row) for row in rows}

    async def page(self, after: str, limit: int) -> list[Tariff | UnreadableTariff]:
        """Return at most *limit* tariffs whose ids come after *after*, by id.

        One that does not fit the loaded plugins says so in its place.
        """
        rows = await self.queries.fetch(_document, SQL["tariff_list"], after, limit)
        return [self._read_or_mark(row) for row in rows]

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
            return _tariff(self.converter, _Stored(repr(document), document))
        except Invalid as error:
            reason = _unreadable(document, error)
            raise Conflict(reason.message, reason.errors) from error

    def read(self, document: dict[str, Any]) -> Tariff | Conflict:
        """Return the tariff of a stored document, or why it cannot be read."""
        try:
            return self._read(document)
        except Conflict as error:
            return error

    def _read_or_mark(self, document: dict[str, Any]) -> Tariff | UnreadableTariff:
        try:
            return self.converter.structure(document, Tariff)
        except Invalid as error:
            versions = tuple(document["versions"])
            shown = {name: document[name] for name in ("id", "name", "currency", "timezone")}
            reason = _unreadable(document, error)
            return UnreadableTariff(**shown, versions=versions, unreadable=reason)

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


@attrs.frozen
class _Stored:
    """The document of a tariff as a key: equal to one that says the same in the same way.

    The text tells apart what is equal and not the same, such as 1 and 1.0.
    """

    text: str
    document: dict[str, Any] = attrs.field(eq=False)


@CACHE.memo
def _tariff(converter: Converter, stored: _Stored) -> Tariff:
    """Return a stored tariff: the same object for each that reads it, with all it has worked out.

    Raises:
        Invalid: It does not fit the loaded plugins.

    """
    return converter.structure(stored.document, Tariff)


def _document(id_: str, name: str, currency: str, timezone: str, versions: Any) -> dict[str, Any]:
    """Return the JSON document of a row."""
    return {
        "id": id_,
        "name": name,
        "currency": currency,
        "timezone": timezone,
        "versions": versions or [],
    }


def _unreadable(document: dict[str, Any], error: Invalid) -> Unreadable:
    """Return why a stored document does not fit: what is missing, and of which plugin."""
    errors = tuple(_named(document, fault) for fault in error.faults)
    missing = _missing(document, error.faults)
    reason = "; ".join(map(str, missing)) or error.detail
    if missing:
        reason = f"it needs {reason}"
    message = f"the stored tariff {document['id']!r} does not fit the loaded plugins: {reason}"
    return Unreadable(message=message, missing=missing, errors=errors)


def _missing(document: dict[str, Any], faults: Sequence[Fault]) -> tuple[MissingKind, ...]:
    kinds = (_kind(document, fault) for fault in faults)
    return tuple(MissingKind(kind, offering(kind)) for kind in dict.fromkeys(kinds) if kind)


def _named(document: dict[str, Any], fault: Fault) -> Fault:
    """Return a fault, which names the plugin where a kind of charge is missing."""
    kind = _kind(document, fault)
    if kind is None:
        return fault
    return attrs.evolve(fault, message=f"this is {MissingKind(kind, offering(kind))}")


def _kind(document: dict[str, Any], fault: Fault) -> str | None:
    """Return the kind of charge that a fault says is unknown."""
    place = _CHARGE.fullmatch(fault.pointer or "")
    if fault.code != "unknown_kind" or place is None:
        return None
    version, charge = map(int, place.groups())
    return str(document["versions"][version]["charges"][charge]["kind"])

"""Entries of the audit log: who changed what, when, and what it was and is.

They are made by triggers (migration 0010), in the transaction that makes the change: one for each
thing that it has changed. Nothing here writes any.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Literal, Self

import attrs

from energia.db.queries import load
from energia.db.tenant import Queries
from energia.errors import Invalid
from energia.time import EPOCH

SQL: Final = load(__package__)
#: What can have happened to a thing.
Action = Literal["create", "update", "delete", "issue", "correct"]
#: What is watched.
Resource = Literal[
    "organization",
    "token",
    "site",
    "meter",
    "tariff",
    "contract",
    "bill",
    "holiday_list",
    "price_series",
    "csv_mapping",
    "deletion",
    "webhook",
    "session",
]
_MICROSECOND: Final = timedelta(microseconds=1)
#: The ids of entries are of this type in the database.
_LARGEST: Final = 2**63 - 1


@attrs.frozen
class Entry:
    """An entry of the audit log.

    Attributes:
        id: Its number.
        at: When the transaction began that made the change.
        caller: The id of who made it: that of a token, `command:<user>`, `system`, or
            `database:<role>` where it was made past the service.
        caller_name: What a person calls them.
        request: The id of the request, also in the log.
        resource: What kind of thing was changed.
        resource_id: Which one.
        action: What happened to it; `issue` and `correct` are of bills, and what a tariff or a
            contract says is corrected too.
        before: What it was; null if there was none. Of a meter's channels and a tariff's versions
            those that have changed.
        after: What it is; null if it was deleted.

    """

    __public_name__: ClassVar[str] = "AuditEntry"

    id: int
    at: datetime
    caller: str
    caller_name: str | None
    request: str | None
    resource: Resource
    resource_id: str
    action: Action
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@attrs.frozen
class Filter:
    """Which entries are listed; None is any."""

    resource: str | None = None
    id: str | None = None
    caller: str | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@attrs.frozen
class Place:
    """A place in the list: that of an entry."""

    at: datetime
    number: int

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return the place of *entry*."""
        return cls(entry.at, entry.id)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that *text* names; raises `Invalid`."""
        microseconds, _, number = text.partition("-")
        try:
            if not (microseconds.isdecimal() and number.isdecimal() and int(number) <= _LARGEST):
                raise ValueError
            return cls(EPOCH + int(microseconds) * _MICROSECOND, int(number))
        except (ValueError, OverflowError):
            message = "this is not the `next` of a page of the audit log"
            raise Invalid.of("wrong_cursor", message, "/query/cursor") from None

    def __str__(self) -> str:
        """Return its text: microseconds since 1970-01-01T00:00Z, and the number."""
        return f"{(self.at - EPOCH) // _MICROSECOND}-{self.number}"


async def entries(
    queries: Queries, wanted: Filter, before: Place | None, limit: int
) -> list[Entry]:
    """Return at most *limit* entries that come after *before*, the newest first."""
    arguments = {
        **attrs.asdict(wanted),
        # In UTC: PostgreSQL takes no offsets of 16 hours or more.
        "start": wanted.start and wanted.start.astimezone(UTC),
        "end": wanted.end and wanted.end.astimezone(UTC),
        "at": before and before.at,
        "number": before and before.number,
        "limit": limit,
    }
    return await queries.fetch(Entry, SQL["audit_list"], arguments)

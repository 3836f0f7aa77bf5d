"""Where a bill stands in the list of bills, as text: it says so even when the bill is gone."""

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, Self

import attrs

from energia.errors import Fault, Invalid

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Listed(Protocol):
    """What the list of bills is sorted by."""

    @property
    def created_at(self) -> datetime:
        """When the bill was made."""
        ...

    @property
    def id(self) -> str:
        """The bill."""
        ...


@attrs.frozen
class Place:
    """A place in the list of bills.

    Attributes:
        created_at: When the bill was made.
        id: The bill.

    """

    created_at: datetime
    id: str

    @classmethod
    def of(cls, bill: Listed) -> Self:
        """Return the place of a bill."""
        return cls(bill.created_at, bill.id)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that *text* names; raises `Invalid`."""
        microseconds, _, id_ = text.partition("-")
        try:
            if not (microseconds.isdecimal() and id_):
                raise ValueError
            return cls(_EPOCH + int(microseconds) * _MICROSECOND, id_)
        except (ValueError, OverflowError):
            message = "this is not the `next` of a page of bills"
            raise Invalid(message, [Fault("wrong_cursor", message, "/query/cursor")]) from None

    def __str__(self) -> str:
        """Return its text: microseconds since 1970-01-01T00:00Z, and the id."""
        return f"{(self.created_at - _EPOCH) // _MICROSECOND}-{self.id}"

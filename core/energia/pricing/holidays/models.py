"""Lists of holidays, as the API takes and gives them."""

from datetime import date, datetime
from typing import Annotated

import attrs
from msgspec import Meta

from energia.codes import Country
from energia.convert import Id

Text = Annotated[str, Meta(min_length=1, max_length=500)]
#: A list, or with `@<version>` one version of it.
ListReference = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:-]{1,64}(@[1-9][0-9]{0,8})?$",
        description="A stored list of holidays, `@` its version; without, the newest one.",
        examples=["br-national@1"],
    ),
]
Dates = Annotated[tuple[date, ...], Meta(min_length=1, max_length=5000)]


@attrs.frozen(kw_only=True)
class HolidayList:
    """Days that are holidays, in versions that never change: another one follows.

    Attributes:
        id: The client's own.
        name: For people.
        country: Where they are.
        subdivision: Of the country.
        source: Who says so: a law, a library with its version.
        dates: The days, in any order.
        version: From 1 on, made by the server. A request may repeat that of the newest version, to
            be sure that no other one comes between.
        stored_at: When the version was stored; of no matter in a request.

    """

    id: Id | None = None
    name: Text
    country: Country | None = None
    subdivision: Annotated[str, Meta(max_length=10)] | None = None
    source: Text | None = None
    dates: Dates
    version: Annotated[int, Meta(ge=1, le=999_999_999)] | None = None
    stored_at: datetime | None = None

    @property
    def said(self) -> "HolidayList":
        """What it says, whichever version it is: the days in order, each once."""
        dates = tuple(sorted(set(self.dates)))
        return attrs.evolve(self, dates=dates, version=None, stored_at=None)


def split(reference: str) -> tuple[str, int | None]:
    """Return the id of a list and the version that a reference names."""
    id_, _, version = reference.partition("@")
    return id_, int(version) if version else None

"""Names and codes of published lists, as types that the converter checks."""

from functools import cache
from importlib.resources import files
from typing import Annotated

from msgspec import Meta

from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.currencies import CODES
from energia.units import UnknownUnit, unit
from energia.zones import UnknownZone, Zone


def _zone(name: str) -> None:
    try:
        Zone.named(name)
    except UnknownZone:
        raise Unfit("unknown_timezone", f"there is no time zone {name!r}") from None


def _iana_zone(name: str) -> None:
    if name[:1] in ("+", "-"):
        raise Unfit("unknown_timezone", f"there is no time zone {name!r}")
    _zone(name)


def _country(code: str) -> None:
    if code not in _countries():
        raise Unfit("unknown_country", f"ISO 3166 has no country {code!r}")


def _currency(code: str) -> None:
    if code not in CODES:
        raise Unfit("unknown_currency", f"there is no currency {code}")


def _unit(name: str) -> None:
    try:
        unit(name)
    except UnknownUnit as error:
        raise Unfit("wrong_unit", str(error)) from None


@cache
def _countries() -> frozenset[str]:
    """Return the two-letter codes of ISO 3166 that the time zone database lists."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if not line.startswith("#"))


_ZONE_TEXT = Meta(max_length=64, examples=["America/Sao_Paulo"])

#: An IANA time zone.
ZoneName = Annotated[str, _ZONE_TEXT, Check(_iana_zone)]
#: An IANA time zone, or a fixed offset from UTC such as `-03:00`.
ZoneOrOffset = Annotated[str, _ZONE_TEXT, Check(_zone)]
#: ISO 3166, two letters.
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", examples=["BR"]), Check(_country)]
#: ISO 4217, three letters.
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["BRL"]), Check(_currency)]
#: A unit of `energia.units`.
UnitName = Annotated[str, Meta(max_length=10, examples=["kWh"]), Check(_unit)]

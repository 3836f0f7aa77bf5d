"""Names and codes of published lists, as types that the converter checks."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from msgspec import Meta

from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.time import UnknownZone, Zone
from energia.units import UnknownUnit, unit

# Currencies (ISO 4217).

_CODES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHF CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR "
    "FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD "
    "JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT "
    "MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG "
    "XOF XPF YER ZAR ZMW ZWG "
)
#: The codes of the currencies that are money (ISO 4217, countries and unions).
CODES: Final = frozenset(_CODES.split())
#: The currencies whose amounts have not two decimals, by how many they have.
_MINOR: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS: Final = {code: digits for digits, codes in _MINOR.items() for code in codes.split()}


def minor_digits(currency: str) -> int:
    """Return how many decimals amounts of *currency* have: 2 for most, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def _currency(code: str) -> None:
    if code not in CODES:
        raise Unfit("unknown_currency", f"there is no currency {code}")


#: ISO 4217, three letters.
Currency = Annotated[
    str,
    Meta(
        pattern="^[A-Z]{3}$",
        description="ISO 4217, three letters.",
        extra={"words": "three capital letters of ISO 4217, such as EUR"},
        examples=["BRL"],
    ),
    Check(_currency),
]


# Countries (ISO 3166).


@cache
def countries() -> frozenset[str]:
    """Return the two-letter codes of ISO 3166 that the time zone database lists."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if not line.startswith("#"))


def _country(code: str) -> None:
    if code not in countries():
        raise Unfit("unknown_country", f"ISO 3166 has no country {code!r}")


#: ISO 3166, two letters.
Country = Annotated[
    str,
    Meta(
        pattern="^[A-Z]{2}$",
        extra={"words": "two capital letters of ISO 3166, such as BR"},
        examples=["BR"],
    ),
    Check(_country),
]


# Time zones and units.


def _zone(name: str) -> None:
    try:
        Zone.named(name)
    except UnknownZone as error:
        raise Unfit("unknown_timezone", str(error)) from None


def _iana_zone(name: str) -> None:
    if name[:1] in ("+", "-"):
        raise Unfit("unknown_timezone", f"there is no time zone {name!r}")
    _zone(name)


_ZONE_TEXT = Meta(max_length=64, examples=["America/Sao_Paulo"])
#: An IANA time zone.
ZoneName = Annotated[str, _ZONE_TEXT, Check(_iana_zone)]
#: An IANA time zone, or a fixed offset from UTC such as `-03:00`.
ZoneOrOffset = Annotated[str, _ZONE_TEXT, Check(_zone)]


def _unit(name: str) -> None:
    try:
        unit(name)
    except UnknownUnit as error:
        raise Unfit("wrong_unit", str(error)) from None


#: A unit of `energia.units`.
UnitName = Annotated[str, Meta(max_length=10, examples=["kWh"]), Check(_unit)]

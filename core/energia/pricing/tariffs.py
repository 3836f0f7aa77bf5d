"""Tariff documents: a currency, a time zone and versions, each a list of charges."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, cast

import attrs
from msgspec import Meta

from energia.convert import Converter, Id
from energia.currencies import CODES
from energia.errors import Fault, Invalid, VersionsOverlap, WindowCrossesVersions
from energia.pricing.charges import Charge
from energia.pricing.completeness import gaps
from energia.pricing.days import DayTypes, Weekday
from energia.pricing.rounding import Rounding
from energia.pricing.schedule import Schedule, is_zone
from energia.zones import Zone


@attrs.frozen(kw_only=True)
class Version:
    """What a tariff charges from one date (of its zone) to another.

    Attributes:
        valid_from: The first day.
        valid_to: The day after the last one; only the last version may lack it.
        holidays: Dates that are holidays for the schedules.
        weekend_days: The days of the week that are the weekend.
        rounding: How amounts are rounded.
        charges: What is charged, in order.

    """

    valid_from: date
    valid_to: date | None = None
    holidays: Annotated[tuple[date, ...], Meta(max_length=10_000)] = ()
    weekend_days: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ("sat", "sun")
    rounding: Rounding = attrs.Factory(Rounding)
    charges: Annotated[tuple[Charge, ...], Meta(min_length=1, max_length=200)]

    @cached_property
    def types(self) -> DayTypes:
        """The holidays and weekend days."""
        return DayTypes(frozenset(self.holidays), frozenset(self.weekend_days))

    def faults(self) -> Iterator[Fault]:
        """Find what is wrong with the version; pointers are relative to it."""
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            yield Fault("empty_version", "valid_to is not after valid_from", "/valid_to")
        yield from self._codes()
        for index, charge in enumerate(self.charges):
            for name, schedule in _schedules(charge):
                pointer = f"/charges/{index}/{name}"
                for gap in gaps(schedule, self.types):
                    yield Fault("incomplete_schedule", f"the schedule has {gap}", pointer)

    def _codes(self) -> Iterator[Fault]:
        kinds = Counter(charge.kind for charge in self.charges)
        seen: set[str] = set()
        for index, charge in enumerate(self.charges):
            pointer = f"/charges/{index}/code"
            if charge.code is None and kinds[charge.kind] > 1:
                message = f"{charge.kind} occurs more than once: each needs a code"
                yield Fault("missing_code", message, pointer)
                continue
            code = charge.code or charge.kind
            if code in seen:
                yield Fault("duplicate_code", f"another charge has the code {code}", pointer)
            seen.add(code)


@attrs.frozen(kw_only=True)
class Tariff:
    """What energy costs.

    Attributes:
        id: The client's own.
        name: For people.
        currency: ISO 4217.
        timezone: The IANA zone of its dates and schedules.
        versions: What it charges, by date; one after another.

    Raises:
        VersionsOverlap, Invalid: It contradicts itself; `faults` names everything.

    """

    id: Id | None = None
    name: Annotated[str, Meta(min_length=1, max_length=500)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["BRL"])]
    timezone: Annotated[str, Meta(max_length=64, examples=["America/Sao_Paulo"])]
    versions: Annotated[tuple[Version, ...], Meta(min_length=1, max_length=1000)]

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be priced."""
        faults = list(self._faults())
        if faults:
            overlaps = all(fault.code == VersionsOverlap.code for fault in faults)
            raise (VersionsOverlap if overlaps else Invalid)(faults[0].message, faults)

    @property
    def zone(self) -> Zone:
        """The zone of its dates and schedules."""
        return Zone.named(self.timezone)

    def in_force(self, start: int, end: int) -> Version:
        """Return the version for the window [start, end) (seconds, UTC).

        Raises:
            WindowCrossesVersions: The window crosses from one version to another.
            Invalid: No version is in force in all of it (fault `no_version_in_force`).

        """
        spans = [(version, *_span(version, self.zone)) for version in self.versions]
        for version, begins, ends in spans:
            if begins <= start and (ends is None or end <= ends):
                return version
        touched = [one for one in spans if one[1] < end and (one[2] is None or start < one[2])]
        if len(touched) > 1:
            dates = ", ".join(sorted(str(version.valid_from) for version, _, _ in touched))
            message = f"the window crosses the versions of {dates}: price each part by itself"
            raise WindowCrossesVersions(message, [Fault(WindowCrossesVersions.code, message)])
        message = "no version of the tariff is in force in all of the window"
        raise Invalid(message, [Fault("no_version_in_force", message)])

    def _faults(self) -> Iterator[Fault]:
        if self.currency not in CODES:
            yield Fault("unknown_currency", f"there is no currency {self.currency}", "/currency")
        if not is_zone(self.timezone):
            message = f"there is no time zone {self.timezone!r}"
            yield Fault("unknown_timezone", message, "/timezone")
        yield from self._overlaps()
        for index, version in enumerate(self.versions):
            for fault in version.faults():
                yield attrs.evolve(fault, pointer=f"/versions/{index}{fault.pointer}")

    def _overlaps(self) -> Iterator[Fault]:
        order = sorted(range(len(self.versions)), key=lambda at: self.versions[at].valid_from)
        for at, following in pairwise(order):
            ends, begins = self.versions[at].valid_to, self.versions[following].valid_from
            if ends is None or ends > begins:
                until = "it has no end" if ends is None else f"it ends on {ends}"
                message = f"the version overlaps the one of {begins}: {until}"
                yield Fault(VersionsOverlap.code, message, f"/versions/{at}/valid_to")


def tariff_converter(charges: Mapping[str, type[Charge]]) -> Converter:
    """Return a converter that reads and writes tariffs made of *charges*, by kind."""
    converter = Converter()
    converter.register_union(Charge, charges)
    return converter


def _schedules(charge: Charge) -> Iterator[tuple[str, Schedule]]:
    """Find the schedules among the fields of *charge*."""
    for name in attrs.fields_dict(cast("type[attrs.AttrsInstance]", type(charge))):
        value = getattr(charge, name)
        if isinstance(value, Schedule):
            yield name, value


def _span(version: Version, zone: Zone) -> tuple[int, int | None]:
    ends = None if version.valid_to is None else _midnight(zone, version.valid_to)
    return _midnight(zone, version.valid_from), ends


@lru_cache(maxsize=4096)
def _midnight(zone: Zone, day: date) -> int:
    return zone.midnight(day)

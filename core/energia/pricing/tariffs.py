"""Tariff documents: a currency, a time zone and versions, each a list of charges."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from typing import Annotated, ClassVar, Final

import attrs
from msgspec import Meta

from energia.codes import Currency, ZoneOrOffset
from energia.convert import Converter, Id
from energia.convert.faults import Found, refusal, step
from energia.convert.rules import Rules, enforce
from energia.errors import Fault, Invalid
from energia.pricing.charges import Charge
from energia.pricing.days import DayTypes, Weekday
from energia.pricing.holidays.models import ListReference
from energia.pricing.rounding import Rounding
from energia.pricing.tariff_rules import (
    codes_differ,
    ends_later,
    schedules_have_no_gaps,
    selections_are_known,
    versions_follow,
)
from energia.pricing.templates import Template, read_charge
from energia.zones import Zone

#: How many holidays a version lists at most.
HOLIDAYS: Final = 10_000


@attrs.frozen(kw_only=True)
class Version:
    """What a tariff charges from one date (of its zone) to another.

    Attributes:
        valid_from: The first day.
        valid_to: The day after the last one; only the last version may lack it.
        holidays: Dates that are holidays for the schedules.
        holiday_lists: Stored lists of holidays. When the tariff is saved, their dates are added to
            `holidays`, and each of them names its version from then on.
        weekend_days: The days of the week that are the weekend.
        rounding: How amounts are rounded.
        charges: What is charged, in order.

    Raises:
        Invalid: It contradicts itself; `faults` names everything.

    """

    __rules__: ClassVar[Rules] = (
        ends_later,
        codes_differ,
        schedules_have_no_gaps,
        selections_are_known,
    )

    valid_from: date
    valid_to: date | None = None
    holidays: Annotated[tuple[date, ...], Meta(max_length=HOLIDAYS)] = ()
    holiday_lists: Annotated[tuple[ListReference, ...], Meta(max_length=20)] | None = None
    weekend_days: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ("sat", "sun")
    rounding: Rounding = attrs.Factory(Rounding)
    charges: Annotated[tuple[Charge, ...], Meta(min_length=1, max_length=200)]

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be priced."""
        enforce(self)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that charges ask for."""
        templates = [charge for charge in self.charges if isinstance(charge, Template)]
        return tuple(name for template in templates for name in template.fields.values())

    def filled(self, parameters: Mapping[str, object]) -> "Version":
        """Return the version with *parameters* in their places; raises `Invalid`."""
        if not self.parameters:
            return self
        found, charges = Found(), list[Charge]()
        for charge in self.charges:
            try:
                one = charge.filled(parameters) if isinstance(charge, Template) else charge
                charges.append(one)
            except Invalid as error:
                found.add(error)
        if found.faults:
            raise refusal(found)
        try:
            return attrs.evolve(self, charges=tuple(charges))
        except Invalid as error:
            raise Invalid(error.detail, self._pointed(error.faults), error.counts) from None

    def _pointed(self, faults: Sequence[Fault]) -> list[Fault]:
        """Let faults of filled charges point to the parameters."""
        for index, charge in enumerate(self.charges):
            if isinstance(charge, Template):
                faults = charge.pointed(faults, f"/charges/{index}")
        return list(faults)

    @property
    def lacks_holidays(self) -> bool:
        """Whether it names lists of holidays whose dates it does not have: it was never saved."""
        named = self.holiday_lists or ()
        return bool(named) and (not self.holidays or any("@" not in one for one in named))

    @cached_property
    def types(self) -> DayTypes:
        """The holidays and weekend days."""
        return DayTypes(frozenset(self.holidays), frozenset(self.weekend_days))


@attrs.frozen(eq=False)
class InForce:
    """A version, and the part of a window (seconds, UTC) in which it is in force."""

    version: Version
    start: int
    end: int


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
        VersionsOverlap: Two versions are in force at once.

    """

    __rules__: ClassVar[Rules] = (versions_follow,)

    id: Id | None = None
    name: Annotated[str, Meta(min_length=1, max_length=500)]
    currency: Currency
    timezone: ZoneOrOffset
    versions: Annotated[tuple[Version, ...], Meta(min_length=1, max_length=1000)]

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be priced."""
        enforce(self)

    @property
    def zone(self) -> Zone:
        """The zone of its dates and schedules."""
        return Zone.named(self.timezone)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the parameters that charges ask for."""
        return frozenset(name for version in self.versions for name in version.parameters)

    def filled(self, parameters: Mapping[str, object]) -> "Tariff":
        """Return the tariff with *parameters* in their places.

        Raises:
            Invalid: One is missing or does not fit; faults point below `/parameters`.

        """
        if not self.parameters:
            return self
        faults, versions = dict[Fault, None](), list[Version]()
        for version in self.versions:
            try:
                versions.append(version.filled(parameters))
            except Invalid as error:
                faults |= dict.fromkeys(error.faults)  # of several versions they are often the same
        if faults:
            raise refusal(Found(list(faults), Counter(fault.code for fault in faults)))
        return attrs.evolve(self, versions=tuple(versions))

    def within(self, start: int, end: int) -> "Tariff":
        """Return the tariff with only those versions that are in force in part of [start, end).

        Others may ask for parameters that are not known. It has all of them if none is in force.
        """
        found = tuple(span.version for span in self.spans(start, end))
        return attrs.evolve(self, versions=found) if found else self

    def knows(self, parameters: Mapping[str, object]) -> Iterator[Fault]:
        """Yield the faults of *parameters* that no charge asks for."""
        for name in parameters:
            if name not in self.parameters:
                message = f"no charge asks for the parameter {name!r}"
                yield Fault("unknown_parameter", message, f"/parameters{step(name)}")

    def in_force(self, start: int, end: int) -> tuple[InForce, ...]:
        """Return which version is in force when in the window [start, end) (seconds, UTC).

        Raises:
            Invalid: None is in part of it (fault `no_version_in_force`).

        """
        found, until = self.spans(start, end), start
        for span in found:
            if span.start > until:
                break
            until = span.end
        if until < end:
            message = f"no version of the tariff is in force at {self.zone.text(until)}"
            raise Invalid(message, [Fault("no_version_in_force", message)])
        return found

    def spans(self, start: int, end: int) -> tuple[InForce, ...]:
        """Return the parts of a window in which some version is in force, in the order of time."""
        found = []
        for version in self.versions:
            begins, ends = _span(version, self.zone)
            if begins < end and (ends is None or start < ends):
                last = end if ends is None else min(end, ends)
                found.append(InForce(version, max(start, begins), last))
        return tuple(sorted(found, key=lambda span: span.start))


def tariff_converter(charges: Mapping[str, type[Charge]]) -> Converter:
    """Return a converter that reads and writes tariffs made of *charges*, by kind."""
    converter = Converter()
    converter.register_union(Charge, charges)
    converter.read_around(Charge, read_charge)
    converter.register(Template, _unread, lambda template: converter.unstructure(template.document))
    return converter


def _unread(value: object) -> Template:
    raise TypeError(f"{value!r} is read as a charge")


def _span(version: Version, zone: Zone) -> tuple[int, int | None]:
    ends = None if version.valid_to is None else _midnight(zone, version.valid_to)
    return _midnight(zone, version.valid_from), ends


@lru_cache(maxsize=4096)
def _midnight(zone: Zone, day: date) -> int:
    return zone.midnight(day)

"""Tariff documents: versions of charges, some of whose fields are parameters."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, TypeAlias, cast

import attrs
from msgspec import Meta

from energia.codes import Currency, ZoneOrOffset
from energia.convert import Converter, Id
from energia.convert.faults import REFUSED, Faults, Unreadable, refusal, step
from energia.convert.structures import PartialObject, Parts, Rules, enforce, fields_of
from energia.errors import Fault, Invalid, VersionsOverlap, meant_or_known
from energia.pricing.charges import (
    AcrossVersions,
    Charge,
    Measure,
    Measured,
    PriceChanges,
    UnitPrices,
    measures_of,
)
from energia.pricing.holidays.lists import ListReference
from energia.pricing.lines import BillSoFar, Line, Replace, Selection, State
from energia.pricing.rounding import Rounding
from energia.pricing.schedule import (
    DAY_KINDS,
    DayKind,
    DayList,
    DayTypes,
    Schedule,
    Weekday,
    gaps,
)
from energia.pricing.wording import Language
from energia.time import Instant, Zone

#: What the charges of a tariff ask for by name: any JSON.
Parameters = Annotated[dict[str, Any], Meta(max_length=100)]

#: Reads the JSON of a charge; raises what the converter raises.
Read = Callable[[object], Any]
_MARK: Final = "parameter"
_FIXED: Final = ("kind", "code")
_LONGEST: Final = 64
#: Of so many windows a tariff remembers what is in force in them.
_SPANS: Final = 16
#: No kind of charge nests its fields so deep.
_DEEPEST: Final = 20
#: Where a value is in the JSON of a charge: `("tiers", 0, "up_to")`.
Place: TypeAlias = tuple[str | int, ...]
#: Stands for a value that is not known: it fits no type.
_UNKNOWN: Final = object()


@attrs.frozen
class Parameter:
    """Stands for a value that a contract or a request gives.

    Attributes:
        parameter: Its name.
        default: Its value where none is given.

    """

    __public_name__: ClassVar[str] = "ChargeParameter"

    parameter: Annotated[str, Meta(min_length=1, max_length=_LONGEST)]
    default: object = None


@attrs.frozen
class Template:
    """A charge of which some values are parameters; unfilled, it charges by their defaults.

    Attributes:
        kind: The kind of the charge.
        document: Its JSON.
        places: The names of the parameters, by where each stands.
        stated: The values of its fields, as far as they are known; defaults are.

    """

    kind: str
    document: Mapping[str, Any]
    places: Mapping[Place, str]
    stated: Mapping[str, Any]
    _read: Read = attrs.field(eq=False, repr=False)

    @property
    def code(self) -> str | None:
        """What names it in its version."""
        return self.stated.get("code")

    @property
    def channel(self) -> str:
        """The role that it charges; `import` where only the parameter tells."""
        return self.stated.get("channel", "import")  # type: ignore[no-any-return]

    @property
    def description(self) -> str | None:
        """What its lines are called."""
        return self.stated.get("description")

    def filled(self, parameters: Mapping[str, object]) -> Charge:
        """Return the charge; raises `Invalid` with pointers to the parameters."""
        values, missing = dict[Place, object](), dict[str, Fault]()
        for place, name in self.places.items():
            mark = _at(self.document, place)
            if name in parameters:
                values[place] = parameters[name]
            elif "default" in mark:
                values[place] = mark["default"]
            else:
                message = f"{self.code or self.kind} needs the parameter {name!r}"
                missing[name] = Fault("missing_parameter", message, f"/parameters{step(name)}")
        if missing:
            raise Invalid.of_all(list(missing.values()))
        document = _with(self.document, values)
        try:
            charge: Charge = self._read(document)
        except REFUSED as error:
            unread = Faults.of(error)
            raise refusal(Faults(self.pointed(unread.kept), unread.counts)) from None
        return charge

    @property
    def across_versions(self) -> AcrossVersions:
        """Which version charges, where a bill crosses versions; raises as `measures`."""
        return self.filled({}).across_versions

    @property
    def remeasures(self) -> bool:
        """Whether it measures other usage for earlier charges; raises as `measures`."""
        return self.filled({}).remeasures

    def measures(self) -> Mapping[str, Measure]:
        """Return what must be measured; raises `Invalid` for a parameter without a default."""
        return self.filled({}).measures()

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterable[Line | Replace | State]:
        """Return the lines; raises as `measures`."""
        return self.filled({}).lines(measured, bill)

    def unit_prices(self) -> UnitPrices | None:
        """Return the price of one unit, where it has one; raises as `measures`."""
        return self.filled({}).unit_prices()

    def price_changes(self, day: date) -> PriceChanges | None:
        """Return what it makes of prices per unit from *day* on; raises as `measures`."""
        return self.filled({}).price_changes(day)

    def pointed(self, faults: Iterable[Fault], base: str = "") -> list[Fault]:
        """Let faults of the filled charge, whose JSON is at *base*, point to the parameters."""
        return [self._pointed(fault, base) for fault in faults]

    def _pointed(self, fault: Fault, base: str) -> Fault:
        for place, name in self.places.items():
            at = base + _pointer(place)
            if within(fault.pointer, at):
                rest = str(fault.pointer)[len(at) :]
                return attrs.evolve(fault, pointer=f"/parameters{step(name)}{rest}")
        if not within(fault.pointer, base):
            return fault
        # What is no parameter was found good when it was saved: a parameter contradicts it.
        names = set(self.places.values())
        of_one = step(*names) if len(names) == 1 else ""
        return attrs.evolve(fault, pointer=f"/parameters{of_one}")


def read_charge(read: Read, document: object) -> Any:
    """Return the charge of *document*, or a `Template` if values in it are parameters."""
    if not isinstance(document, dict):
        return read(document)
    marks = dict(_marks(document))
    if not marks:
        return read(document)
    faults = [
        Fault("not_a_parameter", f"{name} cannot be a parameter", step(name))
        for name in _FIXED
        if (name,) in marks
    ]
    faults += [fault for place, mark in marks.items() for fault in _faults(place, mark)]
    if faults:
        raise Invalid.of_all(faults)
    known = _stated(read, document, marks)
    names = {place: mark[_MARK] for place, mark in marks.items()}
    return Template(document["kind"], document, names, known, read)


def stated(charge: object) -> Mapping[str, Any]:
    """Return the fields of a charge, or of a part of one, as far as they are known."""
    return charge.stated if isinstance(charge, Template) else fields_of(charge)


def place(charge: object, field: str) -> str:
    """Return where in the JSON of *charge* the value of a field is that is known."""
    is_default = isinstance(charge, Template) and (field,) in charge.places
    return f"{step(field)}/default" if is_default else step(field)


def within(pointer: str | None, base: str) -> bool:
    """Tell whether *pointer* points to *base* or below it."""
    return f"{pointer or ''}/".startswith(f"{base}/")


def kind_of(part: object) -> str | None:
    """Return the kind of a charge, or of what could be read of one."""
    if part is None:
        return None
    if isinstance(part, PartialObject):
        return part.class_.kind  # type: ignore[attr-defined, no-any-return]
    return part.kind  # type: ignore[attr-defined, no-any-return]


def _is_parameter(value: object) -> bool:
    return isinstance(value, dict) and _MARK in value and set(value) <= {_MARK, "default"}


def _marks(document: Mapping[str, object]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield where parameters stand, and what is said of each; what a default has is a value."""
    if not _names_a_parameter(document):
        return
    waiting: list[tuple[Place, object]] = [((name,), value) for name, value in document.items()]
    for place, value in waiting:  # it grows while it is walked
        if _is_parameter(value):
            yield place, cast("Mapping[str, Any]", value)
        elif len(place) < _DEEPEST and isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [
                ((*place, key), item) for key, item in items if isinstance(item, dict | list)
            ]


def _names_a_parameter(document: Mapping[str, object]) -> bool:
    """Tell quickly that most charges have no parameter: places cost more to keep than to skip."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            if _MARK in value:
                return True
            value = value.values()
        waiting += [item for item in value if type(item) is dict or type(item) is list]
    return False


def _at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def _with(value: Any, values: Mapping[Place, object], place: Place = ()) -> Any:
    """Return JSON with other values in their places."""
    if place in values:
        return values[place]
    if not any(other[: len(place)] == place for other in values):
        return value
    if isinstance(value, dict):
        return {key: _with(item, values, (*place, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_with(item, values, (*place, index)) for index, item in enumerate(value)]
    return value


def _pointer(place: Place) -> str:
    return "".join(map(step, place))


def _faults(place: Place, mark: Mapping[str, object]) -> Iterator[Fault]:
    name = mark[_MARK]
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        message = f"the name of a parameter is a text of up to {_LONGEST} characters"
        yield Fault("wrong_type", message, f"{_pointer(place)}/{_MARK}")


def _stated(
    read: Read, document: Mapping[str, Any], marks: Mapping[Place, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return the fields that are known, or refuse what is wrong with them already."""
    given = {place: mark.get("default", _UNKNOWN) for place, mark in marks.items()}
    try:
        return fields_of(read(_with(document, given)))
    except REFUSED as error:
        faults, partial = Faults(), error.partial if isinstance(error, Unreadable) else None
        for fault in Faults.of(error).kept:
            for pointed in _of_known(fault, given):
                faults.append(pointed)
    if faults.kept:
        raise refusal(faults)
    return fields_of(partial)


def _of_known(fault: Fault, given: Mapping[Place, object]) -> Iterator[Fault]:
    """Yield *fault*, unless it is of a value that is not known yet."""
    place = next((place for place in given if within(fault.pointer, _pointer(place))), None)
    if place is None or (fault.pointer, fault.code) == (_pointer(place), "unknown_field"):
        yield fault
    elif given[place] is not _UNKNOWN:
        rest = str(fault.pointer)[len(_pointer(place)) :]
        yield attrs.evolve(fault, pointer=f"{_pointer(place)}/default{rest}")


# The rules that tariffs and their versions keep, over several of their fields.


def ends_later(valid_from: date, valid_to: date | None) -> Iterator[Fault]:
    """Refuse a version that ends before it begins."""
    if valid_to is not None and valid_to <= valid_from:
        yield Fault("empty_version", "valid_to is not after valid_from", "/valid_to")


def codes_differ(charges: Parts) -> Iterator[Fault]:
    """Refuse charges of one version that are not told apart."""
    kinds = Counter(kind_of(charge) for charge in charges)
    seen: set[object] = set()
    for index, charge in enumerate(charges):
        kind, fields, pointer = kind_of(charge), stated(charge), f"/charges/{index}/code"
        if kind is None or "code" not in fields:
            continue  # it could not be read
        if fields["code"] is None and kinds[kind] > 1:
            message = f"{kind} occurs more than once: each needs a code"
            yield Fault("missing_code", message, pointer)
            continue
        code = fields["code"] or kind
        if code in seen:
            yield Fault("duplicate_code", f"another charge has the code {code}", pointer)
        seen.add(code)


def schedules_have_no_gaps(charges: Parts, weekend_days: tuple[Weekday, ...]) -> Iterator[Fault]:
    """Refuse schedules without a period for some minute."""
    types = DayTypes(weekend_days=frozenset(weekend_days))
    for index, charge in enumerate(charges):
        for name, value in stated(charge).items():
            for inner, schedule in _schedules(value):
                pointer = f"/charges/{index}{place(charge, name)}{inner}"
                for gap in gaps(schedule, types):
                    yield Fault("incomplete_schedule", f"the schedule has {gap}", pointer)


def _schedules(value: object) -> Iterator[tuple[str, Schedule]]:
    """Yield the schedule that a field is, or has, and where in the field it is."""
    if isinstance(value, Schedule):
        yield "", value
    elif attrs.has(type(value)):
        for name, inner in fields_of(value).items():
            if isinstance(inner, Schedule):
                yield step(name), inner


def day_types_have_names(day_types: Mapping[str, object] | None) -> Iterator[Fault]:
    """Refuse lists of days that are called like days that every schedule knows."""
    for name in day_types or {}:
        if name in DAY_KINDS:
            message = f"every schedule knows {name!r}: give the list another name"
            yield Fault("reserved_name", message, f"/day_types{step(name)}")


def day_types_are_listed(charges: Parts, day_types: Mapping[str, object] | None) -> Iterator[Fault]:
    """Refuse schedules that ask for kinds of day that the version does not list."""
    for index, charge in enumerate(charges):
        for field, value in stated(charge).items():
            for inner, schedule in _schedules(value):
                base = f"/charges/{index}{place(charge, field)}{inner}"
                yield from _unlisted(schedule, day_types or {}, base)


def _unlisted(schedule: Schedule, day_types: Mapping[str, object], base: str) -> Iterator[Fault]:
    if not schedule.day_lists:
        return
    known = ", ".join([*DAY_KINDS, *day_types])
    for number, rule in enumerate(schedule.rules):
        for position, kind in enumerate(rule.days):
            if kind not in DAY_KINDS and kind not in day_types:
                message = f"there is no kind of day {kind!r}; the version has {known}"
                yield Fault("unknown_day_type", message, f"{base}/rules/{number}/days/{position}")


def selections_are_known(charges: Parts) -> Iterator[Fault]:
    """Refuse selections of charges that do not come before in the version."""
    before: set[object] = set()
    for index, charge in enumerate(charges):
        fields = stated(charge)
        for name, value in fields.items():
            if isinstance(value, Selection):
                pointer = f"/charges/{index}{place(charge, name)}/charges"
                for position, code in enumerate(value.charges or ()):
                    if code not in before:
                        message = f"no charge before this one has the code {code!r}"
                        yield Fault("unknown_charge", message, f"{pointer}/{position}")
        before.add(fields.get("code") or kind_of(charge))


def rounded_charges_are_there(charges: Parts, rounding: Rounding) -> Iterator[Fault]:
    """Refuse rules of rounding about charges that are not in the version."""
    codes = {stated(charge).get("code") or kind_of(charge) for charge in charges}
    for index, rule in enumerate(rounding.line_rules):
        for position, code in enumerate(rule.of.charges or ()):
            if code not in codes:
                pointer = f"/rounding/rules/{index}/of/charges/{position}"
                yield Fault("unknown_charge", f"no charge has the code {code!r}", pointer)


def versions_follow(versions: Parts) -> Iterator[Fault]:
    """Refuse versions that are in force at once."""
    read = [fields_of(version) for version in versions]
    dated = [
        index for index, fields in enumerate(read) if {"valid_from", "valid_to"} <= fields.keys()
    ]
    order = sorted(dated, key=lambda index: read[index]["valid_from"])
    for index, following in pairwise(order):
        ends, begins = read[index]["valid_to"], read[following]["valid_from"]
        if ends is None or ends > begins:
            until = "it has no end" if ends is None else f"it ends on {ends}"
            message = f"the version overlaps the one of {begins}: {until}"
            yield Fault(VersionsOverlap.code, message, f"/versions/{index}/valid_to")


# Tariff documents: a currency, a time zone and versions, each a list of charges.

#: How many holidays a version lists at most.
HOLIDAYS: Final = 10_000


DayLists = Annotated[
    dict[DayKind, Annotated[tuple[date, ...], Meta(max_length=HOLIDAYS)]], Meta(max_length=20)
]


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
        day_types: Other kinds of day for the schedules, each a list of dates: the red days of
            Tempo, days without lessons.
        rounding: How amounts are rounded.
        language: In which lines are named whose charge has no `description`; `en` without it.
        charges: What is charged, in order.

    Raises:
        Invalid: It contradicts itself; `faults` names everything.

    """

    __public_name__: ClassVar[str] = "TariffVersion"

    __rules__: ClassVar[Rules] = (
        ends_later,
        codes_differ,
        schedules_have_no_gaps,
        day_types_have_names,
        day_types_are_listed,
        selections_are_known,
        rounded_charges_are_there,
    )

    valid_from: date
    valid_to: date | None = None
    holidays: Annotated[tuple[date, ...], Meta(max_length=HOLIDAYS)] = ()
    holiday_lists: Annotated[tuple[ListReference, ...], Meta(max_length=20)] | None = None
    weekend_days: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ("sat", "sun")
    day_types: DayLists | None = None
    rounding: Rounding = attrs.Factory(Rounding)
    language: Language | None = None
    charges: Annotated[tuple[Charge, ...], Meta(min_length=1, max_length=200)]

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be priced."""
        enforce(self)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that charges ask for."""
        templates = [charge for charge in self.charges if isinstance(charge, Template)]
        return tuple(name for template in templates for name in template.places.values())

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The roles whose readings its charges take, in their order; there may be no templates."""
        return tuple(dict.fromkeys(role for measure in self._measures for role in measure.roles))

    @cached_property
    def series(self) -> tuple[str, ...]:
        """The names of the price series that its charges need; there may be no templates."""
        return tuple(dict.fromkeys(name for measure in self._measures for name in measure.series))

    @property
    def _measures(self) -> list[Measure]:
        return [each for charge in self.charges for each in measures_of(charge).values()]

    def filled(self, parameters: Mapping[str, object]) -> "Version":
        """Return the version with *parameters* in their places; raises `Invalid`."""
        if not self.parameters:
            return self
        faults, charges = Faults(), list[Charge]()
        for charge in self.charges:
            try:
                charges.append(
                    charge.filled(parameters) if isinstance(charge, Template) else charge
                )
            except Invalid as error:
                faults.add(error)
        if faults.kept:
            raise refusal(faults)
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
        return bool(named) and (not self.holidays or any("@" not in name for name in named))

    @cached_property
    def types(self) -> DayTypes:
        """The holidays, weekend days and other kinds of day."""
        listed = (self.day_types or {}).items()
        lists = tuple(DayList(name, frozenset(dates)) for name, dates in listed)
        return DayTypes(frozenset(self.holidays), frozenset(self.weekend_days), lists)


@attrs.frozen(eq=False)
class InForce:
    """A version, and the part of a window (seconds, UTC) in which it is in force."""

    version: Version
    start: Instant
    end: Instant


@attrs.frozen(kw_only=True)
class Tariff:
    """What energy costs.

    Attributes:
        id: The client's own.
        name: For people.
        currency: ISO 4217.
        timezone: The IANA zone of its schedules; its dates are days of the site, or of this zone
            where there is no site.
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
        """The zone of its dates, and with `zone.clock` of its schedules."""
        return Zone.named(self.timezone)

    def at(self, zone: Zone) -> "Tariff":
        """Return the tariff as it is applied at a site in *zone*.

        All its days are days of the site: those on which versions begin, those that are counted,
        and those of months and years. Its schedules stay on the clock of its own zone. So the days
        of a bill are those of one zone, and bills that follow each other share none.
        """
        if zone.name == self.timezone:
            return self
        fields = {field.name: getattr(self, field.name) for field in attrs.fields(Tariff)}
        return _SiteTariff(**fields, days=zone.name)

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
            raise refusal(Faults(list(faults), Counter(fault.code for fault in faults)))
        return attrs.evolve(self, versions=tuple(versions))

    def within(self, start: Instant, end: Instant) -> "Tariff":
        """Return the tariff with only those versions that are in force in part of [start, end).

        Others may ask for parameters that are not known. It has all of them if none is in force.
        """
        versions = tuple(span.version for span in self.spans(start, end))
        return attrs.evolve(self, versions=versions) if versions else self

    def knows(self, parameters: Mapping[str, object]) -> Iterator[Fault]:
        """Yield the faults of *parameters* that no charge asks for."""
        for name in parameters:
            if name not in self.parameters:
                which = meant_or_known(name, self.parameters)
                message = f"no charge asks for the parameter {name!r}{which}"
                yield Fault("unknown_parameter", message, f"/parameters{step(name)}")

    def in_force(self, start: Instant, end: Instant) -> tuple[InForce, ...]:
        """Return which version is in force when in the window [start, end) (seconds, UTC).

        Raises:
            Invalid: None is in part of it (fault `no_version_in_force`).

        """
        spans, until = self.spans(start, end), start
        for span in spans:
            if span.start > until:
                break
            until = span.end
        if until < end:
            raise self.none_in_force(until)
        return spans

    def none_in_force(self, instant: Instant, pointer: str | None = None) -> Invalid:
        """Return the refusal of an *instant* (seconds, UTC) at which no version is in force."""
        ordered = sorted(self.versions, key=lambda version: version.valid_from)
        first, last = ordered[0].valid_from, ordered[-1].valid_to
        message = (
            f"no version of the tariff is in force at {self.zone.text(instant)}: they are from "
            f"{first} {'on' if last is None else f'to {last}'}"
        )
        return Invalid.of("no_version_in_force", message, pointer)

    def spans(self, start: Instant, end: Instant) -> tuple[InForce, ...]:
        """Return the parts of a window in which some version is in force, in the order of time."""
        known = self._spans.get((start, end))
        if known is not None:
            return known
        spans = []
        for version in self.versions:
            begins, ends = _span(version, self.zone)
            if begins < end and (ends is None or start < ends):
                last = end if ends is None else min(end, ends)
                spans.append(InForce(version, max(start, begins), last))
        found = tuple(sorted(spans, key=lambda span: span.start))
        if len(self._spans) == _SPANS:
            self._spans.clear()
        self._spans[start, end] = found
        return found

    @cached_property
    def _spans(self) -> dict[tuple[Instant, Instant], tuple[InForce, ...]]:
        """What is in force in the windows that were asked for: bills of a run have the same one."""
        return {}


@attrs.frozen(kw_only=True)
class _SiteTariff(Tariff):
    """A tariff that is applied at a site of another zone, which *days* names."""

    days: str

    @property
    def zone(self) -> Zone:
        """The zone of the site, with schedules on the clock of the tariff's own."""
        return Zone.named(self.days).scheduled_by(Zone.named(self.timezone))


def tariff_converter(charges: Mapping[str, type[Charge]]) -> Converter:
    """Return the converter that reads and writes tariffs made of *charges*, by kind."""
    return _tariff_converter(tuple(charges.items()))


@lru_cache(maxsize=16)  # a converter writes code for each class that it meets
def _tariff_converter(charges: tuple[tuple[str, type[Charge]], ...]) -> Converter:
    converter = Converter()
    converter.register_union(Charge, dict(charges))
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

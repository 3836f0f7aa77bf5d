"""The rules that tariffs and their versions keep, over several of their fields."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from energia.convert.rules import Parts, fields_of
from energia.errors import Fault, VersionsOverlap
from energia.pricing.completeness import gaps
from energia.pricing.days import DayTypes, Weekday
from energia.pricing.schedule import Schedule
from energia.pricing.selection import Selection
from energia.pricing.templates import kind_of, place, stated


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
    inner = getattr(value, "schedule", None)
    if isinstance(value, Schedule):
        yield "", value
    elif isinstance(inner, Schedule):
        yield "/schedule", inner


def selections_are_known(charges: Parts) -> Iterator[Fault]:
    """Refuse selections of charges that do not come before in the version."""
    before: set[object] = set()
    for index, charge in enumerate(charges):
        fields = stated(charge)
        for name, value in fields.items():
            if isinstance(value, Selection):
                pointer = f"/charges/{index}{place(charge, name)}/charges"
                for at, code in enumerate(value.charges or ()):
                    if code not in before:
                        message = f"no charge before this one has the code {code!r}"
                        yield Fault("unknown_charge", message, f"{pointer}/{at}")
        before.add(fields.get("code") or kind_of(charge))


def versions_follow(versions: Parts) -> Iterator[Fault]:
    """Refuse versions that are in force at once."""
    read = [fields_of(version) for version in versions]
    dated = [at for at, fields in enumerate(read) if {"valid_from", "valid_to"} <= fields.keys()]
    order = sorted(dated, key=lambda at: read[at]["valid_from"])
    for at, following in pairwise(order):
        ends, begins = read[at]["valid_to"], read[following]["valid_from"]
        if ends is None or ends > begins:
            until = "it has no end" if ends is None else f"it ends on {ends}"
            message = f"the version overlaps the one of {begins}: {until}"
            yield Fault(VersionsOverlap.code, message, f"/versions/{at}/valid_to")

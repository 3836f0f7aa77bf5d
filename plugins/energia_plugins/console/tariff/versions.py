"""How versions of a tariff differ: each field that changed, from what to what."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs

from energia_plugins.console.periods import period_of
from energia_plugins.console.tariff.rates import KINDS, dates_text, field_name, is_day, leaves
from energia_plugins.console.words import Words

Json = Mapping[str, Any]
#: The names that lead to a value.
Place = tuple[str, ...]
#: Dates of versions are told by the timeline itself; lists of days by how many they are.
_UNSAID: Final = frozenset({"valid_from", "valid_to", "holidays", "charges", "titles"})
#: Marks for other charges, which change no price by themselves.
_MARKS: Final = frozenset({"tags", "without_tags", "base_only_tags", "group"})
#: What is not said where something is in it.
_PASSED: Final = frozenset({"components", "rates", "ranges", "taxes", "tiers", "bands"})
#: What names an entry of a list.
_NAMING: Final = frozenset({"name", "period", "from", "to", "up_to"})
#: So many changes of one version are told.
MOST: Final = 40


@attrs.frozen
class Changed:
    """A field that is another one.

    Attributes:
        where: The names that lead to it.
        old: What it was; None if it is new.
        new: What it is; None if it is gone.
        percent: By how much a number grew, as a part of it; None of other values.

    """

    where: str
    old: str | None
    new: str | None
    percent: Decimal | None = None


def changes(words: Words, before: Json, after: Json) -> list[Changed]:
    """Return what a version (or document) says otherwise than the one before it."""
    found = list(_between(words, "", _fields(before), _fields(after)))
    old, new = _charges(before), _charges(after)
    for code in [*new, *(code for code in old if code not in new)]:
        title = _title(words, new.get(code) or old[code])
        if code not in old:
            found.append(Changed(title, None, words.text("added")))
        elif code not in new:
            found.append(Changed(title, words.text("taken away"), None))
        else:
            found += _between(words, title, old[code], new[code])
    return found


def _fields(version: Json) -> dict[str, Any]:
    """Return what a version says beside its charges; of holidays, how many there are."""
    fields = {name: value for name, value in version.items() if name not in _UNSAID}
    return {**fields, "holidays": len(version.get("holidays", ()))}


def _charges(version: Json) -> dict[str, Json]:
    return {charge.get("code") or charge["kind"]: charge for charge in version["charges"]}


def _title(words: Words, charge: Json) -> str:
    kind = str(charge["kind"])
    known = words.text(KINDS[kind]) if kind in KINDS else kind
    return str(charge.get("description") or known)


def _between(words: Words, title: str, before: Json, after: Json) -> list[Changed]:
    old, new = (dict(_leaves(words, document)) for document in (before, after))
    found = []
    for place in [*new, *(place for place in old if place not in new)]:
        was, is_now = old.get(place), new.get(place)
        if was != is_now and not _same(was, is_now) and not _is_told(place, old, new):
            where = " · ".join(filter(None, [title, *_place(words, place)]))
            grown = _grown(was, is_now)
            found.append(Changed(where, _shown(words, was), _shown(words, is_now), grown))
    return found


def _is_told(place: Place, old: Mapping[Place, str], new: Mapping[Place, str]) -> bool:
    """Tell whether a mark is of an entry that is new, or gone: its price tells that already."""
    entry = place[:2]
    return place[-1] in _MARKS and not all(
        any(other[:2] == entry for other in side) for side in (old, new)
    )


def _leaves(words: Words, document: Json) -> Iterator[tuple[Place, str]]:
    """Yield the values of a document; an entry of a list goes by what it says, not by its place.

    So a price that follows others is a new one, and those stay what they were.
    """
    for name, value in document.items():
        if _is_list(value):
            for entry in value:
                yield from _of_entry(words, (name, _entry(words, entry)), entry)
        elif isinstance(value, Mapping):
            for inner, text in _leaves(words, value):
                yield (name, *inner), text
        else:
            yield from leaves(value, (name,))


def _is_list(value: object) -> bool:
    """Tell whether a value is a list of objects."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _of_entry(words: Words, place: Place, entry: Json) -> Iterator[tuple[Place, str]]:
    """Yield what an entry of a list says beside what names it; that it is there, if that is all."""
    rest = {
        key: one for key, one in entry.items() if key not in _NAMING or not isinstance(one, str)
    }
    found = list(_leaves(words, rest))
    for inner, text in found:
        yield (*place, *inner), text
    if not found:
        yield place, words.text("yes")


def _entry(words: Words, entry: Json) -> str:
    """Return what names an entry of a list: what it is called, its dates, up to where it is."""
    named = [str(entry[key]) for key in ("name", "period") if isinstance(entry.get(key), str)]
    if isinstance(entry.get("up_to"), str):
        named.append(words.text("up to %(limit)s", limit=words.number(entry["up_to"])))
    ends = [entry[key] for key in ("from", "to") if isinstance(entry.get(key), str)]
    others = "" if all(map(is_day, ends)) else " ".join(ends)
    return ", ".join(filter(None, [*named, others or dates_text(words, entry)])) or "1"


def _place(words: Words, place: Sequence[str]) -> list[str]:
    """Return the names that lead to a field: after `rates` come periods."""
    named = []
    for index, name in enumerate(place):
        if index and place[index - 1] in ("rates", "contracted"):
            named.append(period_of(words, name).label)
        elif name in _PASSED and index + 1 < len(place):
            continue  # what comes next says it
        elif index and place[index - 1] == "components":
            named.append(name.upper())
        else:
            named.append(field_name(words, name))
    return named


def _shown(words: Words, text: str | None) -> str | None:
    number = _decimal(text)
    return text if number is None else words.number(number)


def _same(old: str | None, new: str | None) -> bool:
    """Tell whether two numbers are the same, written otherwise."""
    first, second = _decimal(old), _decimal(new)
    return first is not None and first == second


def _grown(old: str | None, new: str | None) -> Decimal | None:
    first, second = _decimal(old), _decimal(new)
    if first is None or second is None or not first:
        return None
    return (second - first) / abs(first)


def _decimal(text: str | None) -> Decimal | None:
    try:
        found = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return found if found is None or found.is_finite() else None

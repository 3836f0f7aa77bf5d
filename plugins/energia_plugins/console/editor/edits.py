"""What a button of the editor does to the fields of its form: add, take away, move, copy."""

from collections.abc import Callable, Mapping
from typing import Final

from energia_plugins.console.editor.fields import index_of, numbered
from energia_plugins.console.editor.shapes import place_of

Values = Mapping[str, str]


def edited(values: Values, action: str, new: Callable[[str, str], Values]) -> dict[str, str]:
    """Return the fields after a button was pressed; as they are, if there is no such button.

    Args:
        values: What was typed, by the names of the fields.
        action: What the button says: `add:/versions/0/charges`.
        new: Returns the fields of what is added: of which form, and its name.

    """
    verb, _, place = action.partition(":")
    if verb == "add":
        return _added(values, place, new)
    if verb == "form":
        place, _, form = place.rpartition(":")
        marks = {f"{place}~form": form, f"{place}~is": "yes"}
        return {**without(values, place), **marks}
    return _ACTIONS[verb](values, place) if verb in _ACTIONS else dict(values)


def _added(values: Values, place: str, new: Callable[[str, str], Values]) -> dict[str, str]:
    """Return the fields with one more entry; which one is chosen beside the button."""
    numbers = numbered(values).get(place, [])
    entry = f"{place}/{numbers[-1] + 1 if numbers else 0}"
    given = new(values.get(f"{place}~new", ""), entry)
    return {**values, f"{place}~is": "yes", f"{entry}~is": "yes", **given}


def without(values: Values, place: str) -> dict[str, str]:
    """Return the fields but for those of a place."""
    return {name: text for name, text in values.items() if not _is_at(name, place)}


def _is_at(name: str, place: str) -> bool:
    found = place_of(name)
    return found == place or found.startswith(f"{place}/")


def _removed(values: Values, place: str) -> dict[str, str]:
    kept = without(values, place)
    parent, _, last = place.rpartition("/")
    if index_of(last) is None:
        return kept
    if not numbered(kept).get(parent):
        kept.pop(f"{parent}~is", None)
    return kept


def _swapped(values: Values, place: str, by: int) -> dict[str, str]:
    """Return the fields with an entry in the place of the one before or after it."""
    parent, _, last = place.rpartition("/")
    numbers = numbered(values).get(parent, [])
    if (number := index_of(last)) not in numbers:
        return dict(values)
    index = numbers.index(number) + by
    if not 0 <= index < len(numbers):
        return dict(values)
    other = f"{parent}/{numbers[index]}"
    return {_renamed(name, {place: other, other: place}): text for name, text in values.items()}


def _renamed(name: str, places: Mapping[str, str]) -> str:
    for old, new in places.items():
        if _is_at(name, old):
            return new + name[len(old) :]
    return name


def _copied(values: Values, place: str) -> dict[str, str]:
    """Return the fields with a copy of an entry behind the last one."""
    parent, _, last = place.rpartition("/")
    numbers = numbered(values).get(parent, [])
    if index_of(last) not in numbers:
        return dict(values)
    entry = f"{parent}/{numbers[-1] + 1}"
    copies = {
        entry + name[len(place) :]: text for name, text in values.items() if _is_at(name, place)
    }
    first_day = f"{place}/valid_to"
    begins = {f"{entry}/valid_from": values.get(first_day, ""), f"{entry}/valid_to": ""}
    return {**values, **copies, **(begins if f"{place}/valid_from" in values else {})}


_ACTIONS: Final[Mapping[str, Callable[[Values, str], dict[str, str]]]] = {
    "remove": _removed,
    "up": lambda values, place: _swapped(values, place, -1),
    "down": lambda values, place: _swapped(values, place, 1),
    "copy": _copied,
}

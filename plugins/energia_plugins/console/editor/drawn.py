"""A form, shaped for its template: what is there as fields, what may be there as buttons."""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from energia_plugins.console.editor.fields import escaped, form_of, numbered, places_in
from energia_plugins.console.editor.labels import choice, hint, kind, label, rank
from energia_plugins.console.editor.shapes import PARAMETER, Shape, Shapes
from energia_plugins.console.words import Words

#: These are asked for at once; what else may be said is behind "More".
_USUAL: Final = frozenset(
    {
        *("name", "currency", "timezone", "valid_from", "valid_to", "charges"),
        *("description", "rate", "rates", "schedule", "amount", "per", "percent", "period"),
        *("days", "from", "to", "up_to", "default", "rules"),
    }
)
#: These are behind "More" even where something is said, unless it is wrong: few look for them.
_SELDOM: Final = frozenset(["code", "channel", "tags", "clock", "proration"])


@attrs.frozen
class Drawn:
    """A part of the form.

    Attributes:
        name: Of its field.
        label: What is asked.
        shape: How.
        value: What was typed.
        hint: What helps to fill it in.
        is_english: Whether that is what the API says.
        fault: What is wrong with it.
        required: Whether it has to be there.
        is_there: Whether it is.
        choices: Pairs of a value and its words.
        ticked: Which of them are.
        forms: The other forms that it may have: pairs of a name and its words.
        form: Which one it has.
        parts: What is in it.
        more: What may be in it, too.
        key: The field of its name, in a map.

    """

    name: str
    label: str
    shape: Shape
    value: str = ""
    hint: str = ""
    is_english: bool = False
    fault: str = ""
    required: bool = False
    is_there: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    ticked: frozenset[str] = frozenset()
    forms: tuple[tuple[str, str], ...] = ()
    form: str = ""
    parts: tuple["Drawn", ...] = ()
    more: tuple["Drawn", ...] = ()
    key: "Drawn | None" = None

    def part(self, field: str) -> "Drawn":
        """Return one of its fields; an empty one, if it has none of this name."""
        name = f"{self.name}/{field}"
        found = (one for one in (*self.parts, *self.more) if one.name == name)
        return next(found, Drawn(name, field, Shape("text")))


@attrs.frozen
class Drawing:
    """Shapes a form.

    Attributes:
        shapes: The shapes.
        words: The language.
        values: What was typed.
        faults: What is wrong, by the names of the fields.

    """

    shapes: Shapes
    words: Words
    values: Mapping[str, str]
    faults: Mapping[str, str]
    _numbered: Mapping[str, list[int]] = attrs.field(init=False)
    _there: frozenset[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """See what is there."""
        object.__setattr__(self, "_numbered", numbered(self.values))
        object.__setattr__(self, "_there", frozenset(_there(self.values, self.faults)))

    def whole(self) -> Drawn:
        """Return the form of a tariff."""
        return self.part(self.shapes.tariff, "", "", required=True)

    def part(self, shape: Shape, name: str, title: str, *, required: bool = False) -> Drawn:
        """Return a part of the form."""
        field = name.rpartition("/")[2]
        told, is_english = hint(self.words, field, shape.hint)
        drawn = Drawn(
            name,
            title,
            shape,
            self.values.get(name, ""),
            told,
            is_english and self.words.language != "en",
            self.faults.get(name, ""),
            required,
            required or name in self._there,
        )
        return self._of_form(drawn) if shape.kind == "union" else self._filled(drawn)

    def _of_form(self, drawn: Drawn) -> Drawn:
        """Return a part that has one of several forms, as it is in the chosen one."""
        chosen = form_of(drawn.shape, self.values, drawn.name)
        shape = drawn.shape.forms[chosen]
        found = self.part(shape, drawn.name, drawn.label, required=drawn.required)
        forms = tuple(
            (form, self._form(form, one))
            for form, one in drawn.shape.forms.items()
            if form != chosen and drawn.shape.name != "tagged"
        )
        return attrs.evolve(
            found,
            forms=forms,
            form=chosen,
            hint=found.hint if chosen == PARAMETER else drawn.hint or found.hint,
        )

    def _form(self, form: str, shape: Shape) -> str:
        if form == PARAMETER:
            return self.words.text("From the contract")
        if shape.kind in ("array", "list"):
            return self.words.text("In steps")
        if shape.kind in ("map", "object"):
            return self.words.text("In parts")
        return self.words.text("As one value")

    def _filled(self, drawn: Drawn) -> Drawn:
        """Return a part with what is in it."""
        shape, name = drawn.shape, drawn.name
        match shape.kind:
            case "choice" | "boolean":
                values = shape.choices or ("true", "false")
                return attrs.evolve(drawn, choices=self._choices(values))
            case "list":
                ticked = {one for one in shape.choices if f"{name}~has.{one}" in self.values}
                choices = self._choices(shape.choices)
                return attrs.evolve(drawn, choices=choices, ticked=frozenset(ticked))
            case "object" if drawn.is_there:
                fields = list(self._fields(shape, name))
                main = tuple(one for one, is_main in fields if is_main)
                more = tuple(one for one, is_main in fields if not is_main)
                return attrs.evolve(drawn, parts=main, more=more)
            case "array" | "map":
                entries = tuple(self._entries(shape, name))
                choices = self._kinds(self.shapes.of(shape.item))
                return attrs.evolve(drawn, parts=entries, choices=choices)
        return drawn

    def _choices(self, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple((value, choice(self.words, value)) for value in values)

    def _kinds(self, shape: Shape) -> tuple[tuple[str, str], ...]:
        """Return the kinds of what may be added, if there are several."""
        if shape.name != "tagged":
            return ()
        forms = sorted(shape.forms.items(), key=lambda one: rank(one[0]))
        return tuple((name, kind(self.words, name, form.hint)) for name, form in forms)

    def _fields(self, shape: Shape, name: str) -> Iterator[tuple[Drawn, bool]]:
        for field, schema in shape.fields.items():
            place, needed = f"{name}/{escaped(field)}", field in shape.required
            part = self.part(
                self.shapes.of(schema), place, label(self.words, field), required=needed
            )
            said = place in self._there and (field not in _SELDOM or bool(part.fault))
            yield part, needed or field in _USUAL or said

    def _entries(self, shape: Shape, name: str) -> Iterator[Drawn]:
        each = self.shapes.of(shape.item)
        for count, number in enumerate(self._numbered.get(name, []), start=1):
            place = f"{name}/{number}"
            entry = self.part(each, place, self.words.number(count), required=True)
            if shape.kind == "map":
                title = self.words.text("Name")
                key = Drawn(
                    f"{place}~name",
                    title,
                    Shape("text"),
                    self.values.get(f"{place}~name", ""),
                    fault=self.faults.get(f"{place}~name", ""),
                )
                entry = attrs.evolve(entry, key=key, label=self.words.text("Value"))
            yield entry


def _there(values: Mapping[str, str], faults: Mapping[str, str]) -> Iterator[str]:
    """Yield the places at which something is said, or is wrong."""
    said = [name for name, text in values.items() if text.strip() and not name.endswith("~new")]
    yield from places_in([*said, *faults])

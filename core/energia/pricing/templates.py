"""Charges with parameters: fields that a contract or a request fills in.

Any field of a charge may be `{"parameter": "contracted_kw", "default": ...}`. All else of it is
checked when the tariff is saved; what the parameter gives is checked when it is filled in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from energia.convert.faults import REFUSED, Faulty, Found, refusal, step
from energia.convert.rules import Partly, fields_of
from energia.errors import Fault, Invalid
from energia.pricing.charges import Charge, Measure, Measured, UnitPrices
from energia.pricing.lines import BillSoFar, Line, Replace, State

#: Reads the JSON of a charge; raises what the converter raises.
Read = Callable[[object], Any]
_MARK: Final = "parameter"
_FIXED: Final = ("kind", "code")
_LONGEST: Final = 64
#: Stands for a value that is not known: it fits no type.
_UNKNOWN: Final = object()


@attrs.frozen
class Parameter:
    """Stands for a value that a contract or a request gives.

    Attributes:
        parameter: Its name.
        default: Its value where none is given.

    """

    parameter: Annotated[str, Meta(min_length=1, max_length=_LONGEST)]
    default: object = None


@attrs.frozen
class Template:
    """A charge of which some fields are parameters; unfilled, it charges by their defaults.

    Attributes:
        kind: The kind of the charge.
        document: Its JSON.
        fields: The names of the parameters, by field.
        stated: The values of its fields, as far as they are known; defaults are.

    """

    kind: str
    document: Mapping[str, Any]
    fields: Mapping[str, str]
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
        document, faults = dict(self.document), []
        for field, name in self.fields.items():
            if name in parameters:
                document[field] = parameters[name]
            elif "default" in document[field]:
                document[field] = document[field]["default"]
            else:
                message = f"{self.code or self.kind} needs the parameter {name!r}"
                faults.append(Fault("missing_parameter", message, f"/parameters{step(name)}"))
        if faults:
            raise Invalid(faults[0].message, faults)
        try:
            charge: Charge = self._read(document)
        except REFUSED as error:
            found = Found.of(error)
            raise refusal(Found(self.pointed(found.faults), found.counts)) from None
        return charge

    def measures(self) -> Mapping[str, Measure]:
        """Return what must be measured; raises `Invalid` for a parameter without a default."""
        return self.filled({}).measures()

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterable[Line | Replace | State]:
        """Return the lines; raises as `measures`."""
        return self.filled({}).lines(measured, bill)

    def unit_prices(self) -> UnitPrices | None:
        """Return the price of one unit, where it has one; raises as `measures`."""
        return unit_prices(self.filled({}))

    def pointed(self, faults: Iterable[Fault], at: str = "") -> list[Fault]:
        """Let faults of the filled charge, which is found *at*, point to the parameters."""
        return [self._pointed(fault, at) for fault in faults]

    def _pointed(self, fault: Fault, at: str) -> Fault:
        for field, name in self.fields.items():
            if within(fault.pointer, at + step(field)):
                rest = str(fault.pointer)[len(at + step(field)) :]
                return attrs.evolve(fault, pointer=f"/parameters{step(name)}{rest}")
        if not within(fault.pointer, at):
            return fault
        # What is no parameter was found good when it was saved: a parameter contradicts it.
        names = set(self.fields.values())
        of_one = step(*names) if len(names) == 1 else ""
        return attrs.evolve(fault, pointer=f"/parameters{of_one}")


def read_charge(read: Read, document: object) -> Any:
    """Return the charge of *document*, or a `Template` if fields of it are parameters."""
    if not isinstance(document, dict):
        return read(document)
    marked = {name: value for name, value in document.items() if _is_parameter(value)}
    if not marked:
        return read(document)
    faults = [
        Fault("not_a_parameter", f"{name} cannot be a parameter", step(name))
        for name in _FIXED
        if name in marked
    ]
    faults += [fault for name, value in marked.items() for fault in _faults(name, value)]
    if faults:
        raise Invalid(faults[0].message, faults)
    known = _stated(read, document, marked)
    names = {field: value[_MARK] for field, value in marked.items()}
    return Template(document["kind"], document, names, known, read)


def stated(charge: object) -> Mapping[str, Any]:
    """Return the fields of a charge, or of a part of one, as far as they are known."""
    return charge.stated if isinstance(charge, Template) else fields_of(charge)


def place(charge: object, field: str) -> str:
    """Return where in the JSON of *charge* the value of a field is that is known."""
    is_default = isinstance(charge, Template) and field in charge.fields
    return f"{step(field)}/default" if is_default else step(field)


def unit_prices(charge: Charge) -> UnitPrices | None:
    """Return the price of one unit, where a charge has one."""
    asked: Callable[[], UnitPrices | None] | None = getattr(charge, "unit_prices", None)
    return None if asked is None else asked()


def within(pointer: str | None, at: str) -> bool:
    """Tell whether *pointer* is *at* a place or below it."""
    return f"{pointer or ''}/".startswith(f"{at}/")


def kind_of(part: object) -> str | None:
    """Return the kind of a charge, or of what could be read of one."""
    if part is None:
        return None
    if isinstance(part, Partly):
        return part.class_.kind  # type: ignore[attr-defined, no-any-return]
    return part.kind  # type: ignore[attr-defined, no-any-return]


def _is_parameter(value: object) -> bool:
    return isinstance(value, dict) and _MARK in value and set(value) <= {_MARK, "default"}


def _faults(field: str, value: Mapping[str, object]) -> Iterator[Fault]:
    name = value[_MARK]
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        message = f"the name of a parameter is a text of up to {_LONGEST} characters"
        yield Fault("wrong_type", message, f"{step(field)}/{_MARK}")


def _stated(
    read: Read, document: Mapping[str, Any], marked: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the fields that are known, or refuse what is wrong with them already."""
    given = {name: value.get("default", _UNKNOWN) for name, value in marked.items()}
    try:
        return fields_of(read({**document, **given}))
    except REFUSED as error:
        found, partial = Found(), error.partial if isinstance(error, Faulty) else None
        for fault in Found.of(error).faults:
            for one in _of_known(fault, given):
                found.one(one)
    if found.faults:
        raise refusal(found)
    return fields_of(partial)


def _of_known(fault: Fault, given: Mapping[str, object]) -> Iterator[Fault]:
    """Yield *fault*, unless it is of a value that is not known yet."""
    field = next((name for name in given if within(fault.pointer, step(name))), None)
    if field is None or (fault.pointer, fault.code) == (step(field), "unknown_field"):
        yield fault
    elif given[field] is not _UNKNOWN:
        rest = str(fault.pointer)[len(step(field)) :]
        yield attrs.evolve(fault, pointer=f"{step(field)}/default{rest}")

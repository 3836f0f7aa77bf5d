"""Charges with parameters: fields that a contract or a request fills in.

Any field of a charge may be `{"parameter": "contracted_kw", "default": ...}`. All else of it is
checked when the tariff is saved; what the parameter gives is checked when it is filled in.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from energia.convert.faults import REFUSED, Found, refusal, step
from energia.convert.rules import Partly
from energia.errors import Fault, Invalid
from energia.pricing.charges import Charge, Measure, Measured
from energia.pricing.lines import BillSoFar, Line, State

#: Reads the JSON of a charge; raises what the converter raises.
Read = Callable[[object], Any]
_MARK: Final = "parameter"
_FIXED: Final = ("kind", "code")


@attrs.frozen
class Parameter:
    """Stands for a value that a contract or a request gives.

    Attributes:
        parameter: Its name.
        default: Its value where none is given.

    """

    parameter: str
    default: object = None


@attrs.frozen
class Template:
    """A charge of which some fields are parameters.

    Attributes:
        kind: The kind of the charge.
        code: What names it in its version.
        channel: The role that it charges; `import` where that is a parameter.
        description: What its lines are called.
        document: Its JSON.
        fields: The names of the parameters, by field.

    """

    kind: str
    code: str | None
    channel: str
    description: str | None
    document: Mapping[str, Any]
    fields: Mapping[str, str]
    _read: Read = attrs.field(eq=False, repr=False)

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
            raise refusal(
                Found([self._pointed(one) for one in found.faults], found.counts)
            ) from None
        return charge

    def measures(self) -> Mapping[str, Measure]:
        """Refuse: nothing can be measured before the parameters are known."""
        self.filled({})
        raise AssertionError("a template is filled before it is priced")

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Refuse, as `measures`."""
        raise AssertionError("a template is filled before it is priced")

    def _pointed(self, fault: Fault) -> Fault:
        """Let a fault of a field that is a parameter point to the parameter."""
        for field, name in self.fields.items():
            if within(fault.pointer, field):
                rest = str(fault.pointer)[len(step(field)) :]
                return attrs.evolve(fault, pointer=f"/parameters{step(name)}{rest}")
        return fault


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
    _check(read, document, marked)
    names = {field: value[_MARK] for field, value in marked.items()}
    stated = {field: None if field in marked else document.get(field) for field in _STATED}
    return Template(
        document["kind"],
        stated["code"],
        stated["channel"] or "import",
        stated["description"],
        document,
        names,
        read,
    )


_STATED: Final = ("code", "channel", "description")


def within(pointer: str | None, field: str) -> bool:
    """Tell whether *pointer* is of *field* or below it."""
    return f"{pointer}/".startswith(f"{step(field)}/")


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
    if not isinstance(name, str) or not 0 < len(name) <= 64:
        message = "the name of a parameter is a text of up to 64 characters"
        yield Fault("wrong_type", message, f"{step(field)}/{_MARK}")


def _check(read: Read, document: Mapping[str, Any], marked: Mapping[str, Any]) -> None:
    """Refuse what is wrong already: all but the parameters without a default."""
    known = {name: value for name, value in document.items() if name not in marked}
    defaults = {name: value["default"] for name, value in marked.items() if "default" in value}
    try:
        read(known | defaults)
    except REFUSED as error:
        found = Found()
        for fault in Found.of(error).faults:
            field = next((name for name in marked if within(fault.pointer, name)), None)
            if field is None:
                found.one(fault)
            elif field in defaults:
                rest = str(fault.pointer)[len(step(field)) :]
                found.one(attrs.evolve(fault, pointer=f"{step(field)}/default{rest}"))
        if found.faults:
            raise refusal(found) from None

"""What is wrong with what a person has typed, said at its field and in the language of the page."""

from collections.abc import Mapping
from typing import Final

import attrs

from energia import EnergiaError
from energia_plugins.console.forms import Form
from energia_plugins.console.page import marked
from energia_plugins.console.words import Words

#: What the codes of faults mean for a person; of other codes the API's own message is shown.
_SAID: Final = {
    "missing_field": marked("Please fill this in."),
    "missing_parameter": marked("The tariff needs this value."),
    "duplicate_id": marked("Another one has this name. Choose a different one."),
    "empty_window": marked("The last day must not be before the first."),
    "unknown_timezone": marked("There is no such time zone."),
    "unknown_country": marked("There is no such country."),
    "unknown_currency": marked("There is no such currency. Write three letters, such as BRL."),
    "not_a_number": marked("This is not a number."),
    "no_such_day": marked("There is no such day."),
    "wrong_unit": marked("This quantity is not measured in this unit."),
    "unknown_site": marked("There is no such site."),
    "unknown_meter": marked("There is no such meter."),
    "unknown_tariff": marked("There is no such tariff."),
    "contracts_overlap": marked("The meter has another contract in part of this time."),
}
#: What is wrong with a field that has one form only, whatever the code.
_SAID_AT: Final = {
    "/currency": _SAID["unknown_currency"],
    "/country": _SAID["unknown_country"],
    "/timezone": _SAID["unknown_timezone"],
}
_TAKEN: Final = marked("There is another one with this name already. Choose a different one.")


def said(words: Words, code: str, message: str, pointer: str = "") -> str:
    """Return what a fault means, for people."""
    known = _SAID.get(code) or _SAID_AT.get(pointer)
    return words.text(known) if known else f"{message[:1].upper()}{message[1:]}."


def refused(words: Words, form: Form, error: EnergiaError, *, own: str = "/id") -> Form:
    """Return a form with what is wrong at its fields; what has none of them stands at its head.

    Args:
        words: The language.
        form: What was typed.
        error: What the API said.
        own: The field of the id: a conflict without a pointer is about that.

    """
    faults: dict[str, str] = {}
    for fault in error.faults:
        name = _field(form, fault.pointer or "")
        told = said(words, fault.code, fault.message, fault.pointer or "")
        faults[name] = f"{faults[name]} {told}" if name in faults else told
    if not error.faults:
        if error.code == "conflict":
            faults[own if own in form.values else ""] = words.text(_TAKEN)
        else:
            told = error.detail or error.title
            faults[""] = f"{told[:1].upper()}{told[1:]}."
    return attrs.evolve(form, faults=faults)


def _field(form: Form, pointer: str) -> str:
    """Return the field that a fault is about: the one that it points to, or the next above."""
    while pointer and pointer not in form.values:
        pointer = pointer.rpartition("/")[0]
    return pointer


@attrs.frozen
class Difference:
    """What somebody else has changed meanwhile.

    Attributes:
        label: The field.
        theirs: What it says now.
        ours: What was typed.

    """

    label: str
    theirs: str
    ours: str


def differences(
    now: Mapping[str, str], typed: Mapping[str, str], labels: Mapping[str, str]
) -> list[Difference]:
    """Return the fields of a form that say something else now than what was typed."""
    return [
        Difference(label, now.get(name, ""), typed.get(name, ""))
        for name, label in labels.items()
        if now.get(name, "") != typed.get(name, "")
    ]

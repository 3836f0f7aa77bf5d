"""What is wrong with what a person has typed, said at its field and in the language of the page."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs

from energia import EnergiaError
from energia_plugins.console.forms import Form
from energia_plugins.console.page import marked
from energia_plugins.console.words import Words, capital

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


#: What the API says of limits, by the code that each has here: it says all of them by one.
_LIMITS: Final = {
    "at_least_long": re.compile(r"must have at least (\S+) (?:character|item)s?"),
    "at_most_long": re.compile(r"must have at most (\S+) (?:character|item)s?"),
    "at_least": re.compile(r"must be at least (\S+)"),
    "at_most": re.compile(r"must be at most (\S+)"),
    "more_than": re.compile(r"must be more than (\S+)"),
    "less_than": re.compile(r"must be less than (\S+)"),
}
#: These say nothing without their message.
_BARE: Final = frozenset({"invalid", "conflict"})
_NUMBER: Final = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?![\w:/-])")
#: Names in messages are in quotes, as `repr` has them; days and instants are not.
_NAME: Final = re.compile(
    r"(?<!\w)'(?P<name>[^']{1,80})'(?!\w)"
    r"|(?P<at>\b[12][0-9]{3}-[01][0-9]-[0-3][0-9](?P<time>T[0-9]{2}:[0-9]{2}\S*[0-9Z])?)"
)


def said(words: Words, code: str, message: str, pointer: str = "") -> str:
    """Return what a fault means, for people."""
    known = _SAID.get(code) or _SAID_AT.get(pointer)
    if known:
        return words.text(known)
    return meant(words, code, message) or sentence(message)


def sentence(message: str) -> str:
    """Return a message of the API as a sentence."""
    return f"{capital(message).removesuffix('.')}."


def meant(words: Words, code: str, message: str) -> str | None:
    """Return what a code means, with the names and numbers of its message.

    None where the API's own message is in the language of the page, or where it says of itself
    what no sentence of this page has.
    """
    for name, pattern in _LIMITS.items():
        if (limit := pattern.match(message)) and (found := words.meaning(name)):
            return found % {"bound": _shown(words, limit[1].rstrip(":;,"))}
    if (found := words.meaning(code)) is None:
        return None
    if "%(" in found:
        numbers = [words.number(one) for one in _NUMBER.findall(message)]
        return found % {"first": numbers[0], "last": numbers[-1]} if numbers else None
    if code in _BARE:
        return f"{found.removesuffix('.')}: {message.removesuffix('.')}."
    names = ", ".join(dict.fromkeys(_named(words, one) for one in _NAME.finditer(message)))
    return f"{found.removesuffix('.')} ({names})." if names else found


def _named(words: Words, found: re.Match[str]) -> str:
    """Return a name of a message, or a day or an instant as the language writes it."""
    if found["name"]:
        return found["name"]
    try:
        if found["time"]:
            return words.moment(found["at"], year=True)
        return words.day(found["at"], year=True)
    except ValueError:
        return found["at"]


def _shown(words: Words, bound: str) -> str:
    """Return a limit: a number as the language writes it."""
    try:
        return words.number(Decimal(bound))
    except InvalidOperation:
        return bound


@attrs.frozen
class Meaning:
    """What the API says, for people.

    Attributes:
        text: In the language of the page.
        original: In the words of the API, where those say more.

    """

    text: str
    original: str = ""

    @classmethod
    def of(cls, words: Words, told: Mapping[str, Any]) -> "Meaning":
        """Return what a fault, an assumption or a problem of a bill says, as JSON has it."""
        message = str(told.get("message") or told.get("detail") or told.get("title") or "")
        text = said(words, str(told["code"]), message)
        return cls(text) if text == sentence(message) else cls(text, sentence(message))


def of_error(words: Words, error: EnergiaError) -> str:
    """Return why the API did not do what was asked for, in one text."""
    if error.faults:
        told = (said(words, one.code, one.message, one.pointer or "") for one in error.faults)
        return " ".join(dict.fromkeys(told))
    return said(words, error.code, error.detail or error.title)


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
            faults[""] = of_error(words, error)
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

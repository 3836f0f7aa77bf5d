"""What lines are called where a tariff does not say: words for people, in the tariff's language."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

__all__ = ["ENGLISH", "in_language", "with_decimal_mark"]

#: The languages in which charges have names of their own.
Language = Annotated[
    Literal["en", "pt-BR"],
    Meta(description="In which lines are named whose charge has no `description`."),
]
#: A text in each language.
Texts: TypeAlias = Mapping[str, str]
ENGLISH: Final = "en"

#: What is written in capitals wherever it names a part of a rate, a tax or a charge.
_CAPITALS: Final = frozenset(
    (
        *("cde", "cip", "cofins", "cosip", "gst", "hst", "icms", "iva", "pis", "proinfa", "pst"),
        *("te", "tusd", "usd", "vat"),
    )
)
#: Words that names, which are ASCII, have without their accents.
_ACCENTED: Final = {"intermediario": "intermediário"}
#: What separates the decimals, where it is not a point.
_DECIMAL_MARKS: Final = {"pt-BR": ","}
_ROLES: Final[Mapping[str, Texts]] = {
    "export": {"en": "exported", "pt-BR": "injetada"},
    "gas_volume.import": {"en": "gas", "pt-BR": "gás"},
    "generation": {"en": "generated", "pt-BR": "gerada"},
    "reactive_energy.import": {"en": "reactive", "pt-BR": "reativa"},
}


def in_language(texts: Texts, language: str) -> str:
    """Return a text in *language*, or in English where there is none."""
    return texts.get(language) or texts[ENGLISH]


def words(name: str) -> str:
    """Return the name of a period, a component or a code as words: `TUSD`, `fora ponta`."""
    parts = name.replace("_", " ").split(" ")
    return " ".join(
        part.upper() if part.lower() in _CAPITALS else _ACCENTED.get(part, part) for part in parts
    )


def with_decimal_mark(number: str, language: str) -> str:
    """Return a number of digits and a point as a language writes it: `1,23`."""
    return number.replace(".", _DECIMAL_MARKS.get(language, "."))


def of_role(role: str, language: str) -> str:
    """Return what a role is of, in brackets; nothing for what is imported."""
    if role == "import":
        return ""
    return f" ({in_language(_ROLES[role], language) if role in _ROLES else words(role)})"


def named(title: str, code: str | None, parts: Iterable[str | None]) -> str:
    """Return a title with what tells it from others: a code, a period, a component."""
    told = [] if code is None or words(code).lower() == title.lower() else [code]
    return ", ".join([title, *(words(part) for part in (*told, *parts) if part)])

"""Numbers, dates and names as Brazilians write them: `1.234,56`, `31/12/2026`, `Não se aplica`."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from energia import Unfit

__all__ = ["day", "day_text", "folded", "money_text", "month_text", "number", "number_text"]

_NUMBER: Final = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d+)?")


def number(text: str) -> Decimal:
    """Return the number of a text: `1.234,56`, `,00`, `-0,5`; raises `Unfit`.

    A point groups thousands and nothing else, so `1.5` is refused, not guessed.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    if not text.strip("+-") or not _NUMBER.fullmatch(text):
        raise Unfit("not_a_number", f"{text!r} não é um número como 1.234,56")
    return Decimal(text.replace(".", "").replace(",", "."))


def number_text(value: Decimal, decimals: int | None = None) -> str:
    """Return `1.234,56`: with so many decimals, or with those that the number has."""
    text = f"{value:,f}" if decimals is None else f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,"))


def money_text(value: Decimal) -> str:
    """Return `R$ 1.234,56`."""
    sign = "-" if value < 0 else ""
    return f"{sign}R$ {number_text(abs(value), 2)}"


def day(text: str) -> date:
    """Return the day of `31/12/2026`, or of `2026-12-31`; raises `Unfit`."""
    for form in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise Unfit("not_a_day", f"{text!r} não é uma data como 31/12/2026")


def day_text(value: date) -> str:
    """Return `31/12/2026`."""
    return f"{value:%d/%m/%Y}"


_MONTHS: Final = (
    *("janeiro", "fevereiro", "março", "abril", "maio", "junho"),
    *("julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
)


def month_text(month: str) -> str:
    """Return `novembro de 2025`, for `2025-11`."""
    year, _, number = month.partition("-")
    return f"{_MONTHS[int(number) - 1]} de {year}"


def folded(text: str) -> str:
    """Return a name without accents, case and signs, to compare it: `nao se aplica`.

    ANEEL spells the same name in several ways over the years.
    """
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(
        one if one.isalnum() else " " for one in plain if not unicodedata.combining(one)
    )
    return " ".join(letters.casefold().split())

"""Words, numbers and dates as a person reads them: in English or in Portuguese."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from gettext import NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Final, Literal, get_args

import attrs
from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from energia.web import languages

#: What the console speaks, as `lang` has it.
Language = Literal["en", "pt-BR"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_SPOKEN: Final[Mapping[str, Language]] = {"en": "en", "pt": "pt-BR"}
#: Stays with the number or the word before it.
NBSP: Final = "\N{NO-BREAK SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"
#: Numbers as they are typed, with groups of three digits or without any.
_TYPED: Final = {
    "en": re.compile(r"-?([1-9][0-9]{0,2}(,[0-9]{3})+|[0-9]+)?(\.[0-9]*)?"),
    "pt-BR": re.compile(r"-?([1-9][0-9]{0,2}(\.[0-9]{3})+|[0-9]+)?(,[0-9]*)?"),
}
#: Days and months as they are typed, with the year at the end or, as the API has it, first.
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_TYPED_DAY: Final = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_TYPED_MONTH: Final = re.compile(r"(0?[1-9]|1[0-2])[/.-]([0-9]{4})|([0-9]{4})[/-](0?[1-9]|1[0-2])")
_DAY: Final = {"en": "d MMM", "pt-BR": "d MMM"}


@attrs.frozen
class Words:
    """What is said in one language.

    Amounts and quantities are texts of the API, so exact; they are only rounded to be shown.

    Attributes:
        language: As `lang` has it.
        locale: Whose forms numbers and dates have.
        translations: Of the texts in templates and pages, by their English.

    """

    language: Language
    locale: Locale
    translations: NullTranslations

    def text(self, message: str, **values: object) -> str:
        """Return a message, with its `%(names)s` filled in."""
        found = self.translations.gettext(message)
        return found % values if values else found

    def count(self, one: str, several: str, number: int, **values: object) -> str:
        """Return the message for a number of things; `%(num)s` is the number."""
        found = self.translations.ngettext(one, several, number)
        return found % {"num": self.number(number), **values}

    def meaning(self, code: str) -> str | None:
        """Return what a code of the API means; None where its own words are of this language."""
        found = self.translations.pgettext("fault", code)
        return None if found == code else found

    # Numbers.

    def number(self, value: object, places: int | None = None) -> str:
        """Return a number, to so many places; as exact as it is without."""
        exact = _decimal(value)
        if places is not None:
            exact = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        exact = exact if exact else abs(exact)  # nothing has no sign
        shown = max(0, -int(exact.as_tuple().exponent))
        form = "#,##0" + ("." + "0" * shown if shown else "")
        return numbers.format_decimal(exact, form, self.locale).replace("-", _MINUS)

    def signed(self, value: object, places: int | None = None) -> str:
        """Return a difference: with its sign, unless it is nothing."""
        text = self.number(value, places)
        is_plain = text.startswith(_MINUS) or not text.strip("0.,")
        return text if is_plain else f"+{text}"

    def quantity(self, value: object, unit: str, places: int | None = None) -> str:
        """Return a number with its unit, which stay together."""
        return f"{self.number(value, places)}{NBSP}{unit}"

    def money(self, value: object, currency: str, places: int | None = None) -> str:
        """Return an amount: `R$ 1.234,56`, `GBP 1,234.56`; to the currency's places."""
        if places is None:
            places = numbers.get_currency_precision(currency)
        symbol = currency if self.language == "en" else self.symbol(currency)
        number = self.number(value, places)
        sign = _MINUS if number.startswith(_MINUS) else ""
        return f"{sign}{symbol}{NBSP}{number.removeprefix(_MINUS)}"

    def symbol(self, currency: str) -> str:
        """Return how a currency is written beside a number, or above a column."""
        if self.language == "en":
            return currency
        return numbers.get_currency_symbol(currency, self.locale)

    def percent(self, share: object, places: int = 0) -> str:
        """Return a share of 1 as `10,5 %`; with a sign where it is a change below 0."""
        number = self.number(_decimal(share) * 100, places)
        return f"{number}{NBSP}%" if self.language == "pt-BR" else f"{number}%"

    def parsed(self, text: str) -> str:
        """Return a number that a person has typed as one of the API: `1.234,56` is `1234.56`.

        What is no number is returned as it is: the API says what is wrong with it. So is one with
        a point that no group can begin, `0.987` or `1234.5`: it is meant as the API has it.
        """
        bare = text.strip().replace(NBSP, "").replace(" ", "").replace(_MINUS, "-")
        comma, group = (",", ".") if self.language == "pt-BR" else (".", ",")
        if _TYPED[self.language].fullmatch(bare):
            return bare.replace(group, "").replace(comma, ".")
        return bare

    def parsed_day(self, text: str) -> str:
        """Return a day that a person has typed as one of the API: `31/12/2026` is `2026-12-31`.

        Where a browser has no field for days, people write as they do. In Portuguese the day comes
        first; in English either may, so only what can be read in one way is. What is no day is
        returned as it is: the API says what is wrong with it.
        """
        bare = text.strip()
        if found := _ISO_DAY.fullmatch(bare):
            days = [_read_day(*map(int, found.groups()))]
        elif found := _TYPED_DAY.fullmatch(bare):
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            year += 2000 if len(found[4]) == 2 else 0
            days = [_read_day(year, second, first)]
            if self.language == "en":
                days.append(_read_day(year, first, second))
        else:
            days = []
        known = {day for day in days if day is not None}
        return known.pop().isoformat() if len(known) == 1 else bare

    def parsed_month(self, text: str) -> str:
        """Return a month that a person has typed as one of the API: `8/2026` is `2026-08`."""
        bare = text.strip()
        if found := _TYPED_MONTH.fullmatch(bare):
            year, month = found[3] or found[2], found[4] or found[1]
            return f"{year}-{int(month):02}"
        return bare

    # Days and times: instants come with their offset, and are shown on that clock.

    def day(self, value: str | date, *, year: bool = False) -> str:
        """Return a day: `6 nov.`, with its year where that is not plain."""
        form = _DAY[self.language] + (" y" if year else "")
        return dates.format_date(_day(value), form, self.locale).replace(" ", NBSP)

    def weekday(self, value: str | date) -> str:
        """Return the day of the week and of the month: `seg 2`."""
        return dates.format_date(_day(value), "EEE d", self.locale).replace(".", "")

    def last_day(self, end: str | date, *, year: bool = False) -> str:
        """Return the last day of a window that ends before *end*."""
        return self.day(_day(end) - timedelta(days=1), year=year)

    def figures(self, value: str | date) -> str:
        """Return a date in figures, as it is typed: `20/11/2026`."""
        form = "dd/MM/y" if self.language == "pt-BR" else "y-MM-dd"
        return dates.format_date(_day(value), form, self.locale)

    def month(self, value: str | date, *, year: bool = True) -> str:
        """Return a month by its name: `outubro de 2026`; alone it begins with a capital."""
        form = "MMMM y" if year else "MMMM"
        if year and self.language == "pt-BR":
            form = "MMMM 'de' y"
        return dates.format_date(_day(value), form, self.locale)

    def short_month(self, value: str | date) -> str:
        """Return a month as an axis has it: `out`."""
        return dates.format_date(_day(value), "LLL", self.locale).rstrip(".")

    def time(self, value: str | datetime) -> str:
        """Return the time of an instant: `08:15`."""
        return f"{_instant(value):%H:%M}"

    def moment(self, value: str | datetime, *, year: bool = False) -> str:
        """Return an instant: `6 nov., 08:15`."""
        at = _instant(value)
        return f"{self.day(at.date(), year=year)}, {at:%H:%M}"


def capital(text: str) -> str:
    """Return a text that begins with a capital, and is as it was after that."""
    return text[:1].upper() + text[1:]


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _day(value: str | date) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value[:10])


def _read_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _instant(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


@lru_cache(maxsize=len(LANGUAGES))
def words(language: Language) -> Words:
    """Return what is said in a language; texts are read from `locale/`, once."""
    if language == "en":
        return Words(language, Locale.parse("en_GB"), NullTranslations())
    translations = NullTranslations()
    for source in (files(__package__) / "locale" / language).iterdir():
        part = _compiled(source, language)
        part.add_fallback(translations)
        translations = part
    return Words(language, Locale.parse(language, sep="-"), translations)


def _compiled(source: Traversable, language: Language) -> Translations:
    """Return the translations of one part of the console."""
    with source.open("rb") as file:
        catalog = read_po(file, locale=language.replace("-", "_"))
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def preferred(header: str, but: Language = "en") -> Language:
    """Return the language that an `Accept-Language` prefers of those that are spoken here."""
    return languages.preferred(header, _SPOKEN, but)

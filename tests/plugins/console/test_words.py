"""Words, numbers and dates, as a person reads and types them in both languages."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia_plugins.console.words import Language, capital, preferred, words

MINUS = "\N{MINUS SIGN}"
EN, PT = words("en"), words("pt-BR")


@pytest.mark.parametrize(
    ("value", "places", "english", "portuguese"),
    [
        ("1234.5", None, "1,234.5", "1.234,5"),
        ("1234.5", 2, "1,234.50", "1.234,50"),
        ("-1234567.891", 2, f"{MINUS}1,234,567.89", f"{MINUS}1.234.567,89"),
        ("0.005", 2, "0.01", "0,01"),
        ("-0.004", 2, "0.00", "0,00"),
        ("1E+3", None, "1,000", "1.000"),
        (Decimal("12"), 1, "12.0", "12,0"),
        (35040, None, "35,040", "35.040"),
    ],
)
def test_numbers(value: object, places: int | None, english: str, portuguese: str) -> None:
    """Groups of three, the sign of a minus, halves away from zero; nothing has no sign."""
    assert EN.number(value, places) == english
    assert PT.number(value, places) == portuguese


@pytest.mark.parametrize(
    ("value", "currency", "english", "portuguese"),
    [
        ("1234.56", "BRL", "BRL\u00a01,234.56", "R$\u00a01.234,56"),
        ("-0.5", "BRL", f"{MINUS}BRL\u00a00.50", f"{MINUS}R$\u00a00,50"),
        ("1234.565", "GBP", "GBP\u00a01,234.57", "£\u00a01.234,57"),
        ("1234.5", "JPY", "JPY\u00a01,235", "JP¥\u00a01.235"),
        ("0", "EUR", "EUR\u00a00.00", "€\u00a00,00"),
    ],
)
def test_money(value: str, currency: str, english: str, portuguese: str) -> None:
    """The currency stays with its amount, which has the places of the currency."""
    assert EN.money(value, currency) == english
    assert PT.money(value, currency) == portuguese


def test_quantities() -> None:
    """The unit stays with the number; a share is a percentage, a difference has its sign."""
    assert EN.quantity("45.44", "kW", 1) == "45.4\u00a0kW"
    assert PT.quantity("45.44", "kW", 1) == "45,4\u00a0kW"
    assert (EN.percent("0.105", 1), PT.percent("0.105", 1)) == ("10.5%", "10,5\u00a0%")
    assert PT.percent("-0.07") == f"{MINUS}7\u00a0%"
    assert [EN.signed(one, 0) for one in ("7", "-7", "0", "0.4")] == ["+7", f"{MINUS}7", "0", "0"]


def test_days_and_times() -> None:
    """As the language says them, on the clock that an instant comes with."""
    at = "2026-11-06T08:15:00-03:00"
    assert (EN.moment(at), PT.moment(at)) == (
        "6\u00a0Nov, 08:15",
        "6\u00a0de\u00a0nov., 08:15",
    ) or (PT.moment(at) == "6\u00a0nov., 08:15")
    assert (EN.day(at, year=True), PT.figures(at)) == ("6\u00a0Nov\u00a02026", "06/11/2026")
    assert EN.figures(at) == "2026-11-06"
    assert (EN.month("2026-10-01"), PT.month("2026-10-01")) == ("October 2026", "outubro de 2026")
    assert PT.last_day("2026-03-01") == PT.day(date(2026, 2, 28))
    assert (EN.short_month("2026-10-01"), PT.short_month("2026-10-01")) == ("Oct", "out")


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [
        ("pt-BR", "1.234,56", "1234.56"),
        ("pt-BR", "1234,56", "1234.56"),
        ("pt-BR", "1.234", "1234"),
        ("pt-BR", "1.5", "1.5"),
        ("pt-BR", "0.987", "0.987"),
        ("pt-BR", "1234.567", "1234.567"),
        ("pt-BR", ",5", ".5"),
        ("pt-BR", f" {MINUS}7,5 ", "-7.5"),
        ("pt-BR", "R$ 5", "R$5"),
        ("pt-BR", "1.23,4", "1.23,4"),
        ("en", "1,234.56", "1234.56"),
        ("en", "1 234.56", "1234.56"),
        ("en", "1234.56", "1234.56"),
        ("en", "1,23", "1,23"),
        ("en", "0,987", "0,987"),
        ("en", "abc", "abc"),
        ("en", "", ""),
    ],
)
def test_what_is_typed(language: Language, typed: str, meant: str) -> None:
    """A number with the marks of the language is that of the API; what is none stays as it is."""
    assert words(language).parsed(typed) == meant


@pytest.mark.parametrize(
    ("typed", "portuguese", "english"),
    [
        ("31/12/2026", "2026-12-31", "2026-12-31"),
        ("12/31/2026", "12/31/2026", "2026-12-31"),
        (" 3/4/2026 ", "2026-04-03", "3/4/2026"),
        ("4.4.26", "2026-04-04", "2026-04-04"),
        ("01-02-2026", "2026-02-01", "01-02-2026"),
        ("2026-1-5", "2026-01-05", "2026-01-05"),
        ("2026-12-31", "2026-12-31", "2026-12-31"),
        ("29/2/2026", "29/2/2026", "29/2/2026"),
        ("31/12-2026", "31/12-2026", "31/12-2026"),
        ("amanhã", "amanhã", "amanhã"),
        ("", "", ""),
    ],
)
def test_days_that_are_typed(typed: str, portuguese: str, english: str) -> None:
    """The day comes first in Portuguese; in English only what has one meaning is read."""
    assert (PT.parsed_day(typed), EN.parsed_day(typed)) == (portuguese, english)


@given(st.dates(min_value=date(1900, 1, 1)))
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_day_that_is_shown_can_be_typed(language: Language, day: date) -> None:
    """A day in figures is the same one where it is typed again."""
    spoken = words(language)

    assert spoken.parsed_day(spoken.figures(day)) == day.isoformat()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("08/2026", "2026-08"),
        ("8/2026", "2026-08"),
        ("2026-08", "2026-08"),
        ("2026/8", "2026-08"),
        ("13/2026", "13/2026"),
        ("agosto", "agosto"),
    ],
)
def test_months_that_are_typed(typed: str, meant: str) -> None:
    """A month in figures is that of the API, whichever of the two comes first."""
    assert PT.parsed_month(typed) == EN.parsed_month(typed) == meant


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    )
)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_what_is_shown_can_be_typed(language: Language, value: Decimal) -> None:
    """A number that is shown is the same one where it is typed again."""
    spoken = words(language)

    assert Decimal(spoken.parsed(spoken.number(value))) == value


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("pt-BR", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT,en;q=0.9", "pt-BR"),
        ("en-US,en;q=0.9,pt;q=0.8", "en"),
        ("fr, pt-BR;q=0.5, en;q=0.4", "pt-BR"),
        ("en;q=0.1, pt;q=0.2", "pt-BR"),
        ("pt;q=0", "en"),
        ("*", "en"),
        ("de-DE,de", "en"),
        ("pt;q=nonsense, en;q=1;x=y", "en"),
        (",;=,pt", "pt-BR"),
    ],
)
def test_the_language_of_a_browser(header: str, language: str) -> None:
    """The one that it prefers of ours; English where it knows neither."""
    assert preferred(header) == language


@given(st.text(max_size=60))
def test_any_header_has_a_language(header: str) -> None:
    """Whatever a browser says, a page is in one of the two."""
    assert preferred(header) in ("en", "pt-BR")


def test_a_capital() -> None:
    """The rest of a text stays as it is."""
    assert (capital("the IP of X"), capital("")) == ("The IP of X", "")


def test_counts() -> None:
    """One thing is said in another way than several, in both languages."""
    text = EN.count("%(num)s day", "%(num)s days", 1), EN.count("%(num)s day", "%(num)s days", 1200)

    assert text == ("1 day", "1,200 days")

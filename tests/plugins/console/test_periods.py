"""Periods of tariffs as pages show them."""

import pytest

from energia_plugins.console.periods import letter_of, period_of, periods_of
from energia_plugins.console.words import words

ENGLISH, PORTUGUESE = words("en"), words("pt-BR")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ponta", "p"),
        ("intermediario", "i"),
        ("intermediário", "i"),
        ("fora_ponta", "f"),
        ("fora ponta", "f"),
        ("peak", "p"),
        ("on-peak", "p"),
        ("off-peak", "f"),
        ("off_peak", "f"),
        ("Super Off-Peak", "f"),
        ("partial_peak", "i"),
        ("shoulder", "i"),
        ("summer_peak", "p"),
        ("winter_off_peak", "f"),
        ("night", "f"),
        ("day", "n"),
        ("red_hp", "p"),
        ("white_hc", "f"),
        ("punta", "p"),
        ("llano", "i"),
        ("valle", "f"),
        ("cheias", "i"),
        ("vazio", "f"),
        ("summer", "n"),
        ("period_1", "n"),
        ("rest", "n"),
        ("", "n"),
    ],
)
def test_class(name: str, key: str) -> None:
    """A period has the colour of what its name means; grey where that is not known."""
    assert letter_of(name) == key


def test_numbered() -> None:
    """Numbered periods go from peak to off-peak, however many there are."""
    six = [f"P{number}" for number in range(1, 7)]
    assert [letter_of(name, six) for name in six] == ["p", "i", "i", "i", "i", "f"]
    assert [letter_of(name, ["p1", "p2", "p3"]) for name in ("p1", "p2", "p3")] == ["p", "i", "f"]
    assert [letter_of(name) for name in ("F1", "F2", "F3")] == ["p", "i", "f"]


def test_labels() -> None:
    """A period is called what a person calls it, in either language, whatever its tariff says."""
    assert period_of(ENGLISH, "fora_ponta").entry == ("f", "O", "off-peak")
    assert period_of(PORTUGUESE, "off_peak").entry == ("f", "F", "fora ponta")
    assert period_of(PORTUGUESE, "ponta").entry == ("p", "P", "ponta")
    assert period_of(ENGLISH, "ponta").label == "peak"
    assert period_of(PORTUGUESE, "intermediario").label == "intermediário"
    assert period_of(PORTUGUESE, "summer_peak").label == "ponta, verão"
    assert period_of(PORTUGUESE, "night").entry == ("f", "N", "noite")


def test_unknown_names() -> None:
    """A name that says more than is known is shown as it is: nothing of it is lost."""
    assert period_of(ENGLISH, "red_hp").label == "red hp"
    assert period_of(ENGLISH, "period_1").entry == ("n", "P", "period 1")
    assert period_of(PORTUGUESE, "P2", ["P1", "P2", "P3"]).entry == ("i", "P2", "P2")


def test_order() -> None:
    """Periods are listed peak first, each once."""
    names = ["fora_ponta", "intermediario", "ponta", "fora_ponta"]
    assert [period.key for period in periods_of(ENGLISH, names)] == ["p", "i", "f"]

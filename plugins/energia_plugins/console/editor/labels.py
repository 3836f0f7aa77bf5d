"""What the fields of a tariff are called, and their choices, where more than a name is known."""

from typing import Final

from energia_plugins.console.page import marked
from energia_plugins.console.tariff.rates import KINDS, field_name
from energia_plugins.console.words import Words, capital

#: Fields that the page of a tariff does not name, or by another word.
_LABELS: Final = {
    "per": marked("for each"),
    "currency": marked("currency"),
    "timezone": marked("time zone"),
    "versions": marked("versions"),
    "valid_from": marked("first day"),
    "valid_to": marked("day after the last one"),
    "day_types": marked("other kinds of day"),
    "language": marked("language of the lines"),
    "code": marked("code"),
    "tags": marked("marks"),
    "parameter": marked("name in the contract"),
    "proration": marked("for part of a month"),
    "unit": marked("unit"),
    "scope": marked("how steps count"),
    "conversion": marked("volume to energy"),
    "paid_percent": marked("share that is paid, %"),
    "readings": marked("by readings"),
    "measured": marked("measured demand"),
    "minimum": marked("at least"),
    "reset": marked("begins anew"),
    "decimals": marked("places"),
    "amount_decimals": marked("places of amounts"),
    "unit_price_decimals": marked("places of prices"),
    "mode": marked("way of rounding"),
    "share": marked("share"),
    "group": marked("group"),
    "value": marked("value"),
    "id": marked("short name"),
}
#: What is said of a field instead of what the API says of it.
_HINTS: Final = {
    "name": "",
    "id": marked("Letters, digits and hyphens; made of the name where it is empty."),
    "channel": marked("What is charged: import, export, or another quantity of the meter."),
    "season": marked("In which part of the year; in all of it without."),
    "until": marked("Or the day that is not in it any more."),
    "rules": marked("The first rule that fits counts."),
    "clock": marked("local, or a clock without daylight saving, such as -03:00."),
    "per": marked("For which time the amount is."),
    "description": marked("What the line is called on the bill."),
    "valid_to": marked("Empty, as long as it has no end."),
    "valid_from": marked("From this day on it holds."),
    "timezone": marked("Its days and hours are of this zone, such as America/Sao_Paulo."),
    "currency": marked("Three letters, such as BRL."),
    "rate": marked("For each unit: of energy 1 kWh, of power 1 kW."),
    "rates": marked("The price in each period, by its name."),
    "components": marked("A price in parts, which have names, such as te and tusd."),
    "schedule": marked("At which hours which period is."),
    "default": marked("What holds where nothing above does."),
    "holidays": marked("Dates such as 2026-12-25, with a space between them."),
    "parameter": marked("Each contract says the value under this name."),
    "amount": marked("In the currency of the tariff."),
    "tiers": marked("Steps: the price of what is used up to a bound."),
    "percent": marked("10 is 10 %."),
    "code": marked("For programs, and for charges that are about this one."),
    "tags": marked("Words by which later charges find this one."),
}
_CHOICES: Final = {
    "true": marked("yes"),
    "false": marked("no"),
    "bill": marked("bill"),
    "month": marked("month"),
    "day": marked("day"),
    "year": marked("year"),
    "quarter": marked("quarter"),
    "meter": marked("meter"),
    "season": marked("season"),
    "none": marked("none"),
    "mon": marked("Mon"),
    "tue": marked("Tue"),
    "wed": marked("Wed"),
    "thu": marked("Thu"),
    "fri": marked("Fri"),
    "sat": marked("Sat"),
    "sun": marked("Sun"),
    "all": marked("every day"),
    "weekday": marked("working days"),
    "weekend": marked("weekend"),
    "holiday": marked("holidays"),
    "average": marked("average"),
    "refuse": marked("refuse"),
    "accept": marked("accept"),
    "half_up": marked("half up"),
    "half_even": marked("half to even"),
    "down": marked("down"),
    "max": marked("highest"),
    "mean": marked("mean"),
    "energy": marked("energy"),
    "inside_product": marked("in the price, one after another"),
    "inside_sum": marked("in the price, together"),
    "add_on": marked("on top of it"),
    "en": marked("English"),
    "pt-BR": marked("Portuguese"),
}


def label(words: Words, name: str) -> str:
    """Return what a field is called."""
    return capital(words.text(_LABELS[name]) if name in _LABELS else field_name(words, name))


def hint(words: Words, name: str, said: str) -> tuple[str, bool]:
    """Return what helps to fill a field in, and whether it is what the API says, in English."""
    if name in _HINTS:
        return (words.text(_HINTS[name]) if _HINTS[name] else ""), False
    return said.replace("`", ""), bool(said)


def choice(words: Words, value: str) -> str:
    """Return what a value is called that is chosen."""
    return words.text(_CHOICES[value]) if value in _CHOICES else value.replace("_", " ")


def kind(words: Words, name: str, said: str) -> str:
    """Return what a kind of charge charges; as its plugin says it, if the console does not know."""
    return words.text(KINDS[name]) if name in KINDS else said or name


def rank(name: str) -> tuple[int, str]:
    """Return where a kind of charge stands in a list: what most tariffs have comes first."""
    known = list(KINDS)
    return (known.index(name) if name in KINDS else len(known)), name

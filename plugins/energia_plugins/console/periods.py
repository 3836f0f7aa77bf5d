"""Periods of tariffs as pages show them: a colour, a letter and a word, by their names alone.

Tariffs call their periods what they like. What a name means is told by the words in it: those of
Brazil, Portugal, Spain, France, Italy and the English-speaking; any other is shown as it is, grey.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final, Literal
from unicodedata import normalize

import attrs

from energia_plugins.console.page import marked
from energia_plugins.console.words import Words

#: The class that colours a period: peak, the one between, off-peak, and any other.
Key = Literal["p", "i", "f", "n"]

#: What a period is, by a word of its name; the first that is found says it. Those of off-peak come
#: first, as most of them have the word for peak in them.
_CLASSES: Final[tuple[tuple[Key, str, frozenset[str]], ...]] = (
    ("f", marked("super off-peak"), frozenset({"superoffpeak", "supervazio"})),
    ("f", marked("off-peak"), frozenset({"offpeak", "off", "foraponta", "fora", "low", "cheap"})),
    ("f", marked("off-peak"), frozenset({"valle", "vazio", "creuses", "hc", "fp", "trough"})),
    ("f", marked("night"), frozenset({"night", "noite", "noturno", "overnight", "nuit", "noche"})),
    ("i", marked("shoulder"), frozenset({"shoulder", "intermediario", "intermediate", "mid"})),
    ("i", marked("shoulder"), frozenset({"llano", "cheia", "cheias", "partpeak", "partialpeak"})),
    ("p", marked("peak"), frozenset({"peak", "onpeak", "on", "ponta", "punta", "high", "pk"})),
    ("p", marked("peak"), frozenset({"pointe", "pleines", "hp", "critical", "criticalpeak"})),
    ("n", marked("day"), frozenset({"day", "dia", "daytime", "diurno", "jour"})),
)
#: What stands beside that in a name.
_BESIDE: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    (marked("summer"), frozenset({"summer", "verao", "verano", "ete"})),
    (marked("winter"), frozenset({"winter", "inverno", "invierno", "hiver"})),
    (marked("weekend"), frozenset({"weekend", "fds"})),
)
#: Words that are one, however they are written.
_JOINED: Final = re.compile(r"\b(super off peak|off peak|on peak|part peak|partial peak)\b")
_NUMBERED: Final = re.compile(r"([pf])([1-9])", re.IGNORECASE)
_ORDER: Final = "pifn"


@attrs.frozen
class Period:
    """A period as a page shows it.

    Attributes:
        name: What its tariff calls it.
        key: The class that colours it.
        letter: What stands for it in a picture: one or two characters.
        label: What a person calls it.

    """

    name: str
    key: Key
    letter: str
    label: str

    @property
    def entry(self) -> tuple[str, str, str]:
        """What `parts.legend` shows of it."""
        return self.key, self.letter, self.label


def letter_of(name: str, among: Collection[str] = ()) -> Key:
    """Return the class of a period, by its name.

    Numbered ones, such as P1 to P6, are in the order of their prices: the first is peak, the last
    off-peak. Which one is the last is told by the names *among* which it is; of Spain's and
    Italy's without them.
    """
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        return _ranked(numbered, among)
    return _meant(name)[0]


def period_of(words: Words, name: str, among: Collection[str] = ()) -> Period:
    """Return a period of a tariff that has the periods *among* as a page shows it."""
    key = letter_of(name, among)
    if _NUMBERED.fullmatch(name):
        return Period(name, key, name.upper(), name.upper())
    label = _label(words, name)
    return Period(name, key, label[:1].upper(), label)


def periods_of(words: Words, names: Iterable[str]) -> list[Period]:
    """Return the periods of a tariff, peak first; as they come where they are of one class."""
    among = list(dict.fromkeys(names))
    found = [period_of(words, name, among) for name in among]
    return sorted(found, key=lambda period: _ORDER.index(period.key))


def _ranked(numbered: re.Match[str], among: Collection[str]) -> Key:
    """Return the class of a numbered period: by its place among those of its kind."""
    kind, number = numbered[1].lower(), int(numbered[2])
    if number == 1:
        return "p"
    others = [_NUMBERED.fullmatch(name) for name in among]
    last = max((int(each[2]) for each in others if each and each[1].lower() == kind), default=0)
    return "f" if number in ({last} if last else {3, 6}) else "i"


def _meant(name: str) -> tuple[Key, str]:
    """Return the class of a name and the word for it; an empty one where none is known."""
    found = _parts(name)
    for key, word, known in _CLASSES:
        if known.intersection(found):
            return key, word
    return "n", ""


def _parts(name: str) -> list[str]:
    """Return the words of a name, without accents and capitals."""
    bare = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    spaced = re.sub(r"[^a-z0-9]+", " ", bare).strip()
    return _JOINED.sub(lambda match: match[0].replace(" ", ""), spaced).split()


def _label(words: Words, name: str) -> str:
    """Return what a person calls a period; its own name where that says more than is known."""
    _, meant = _meant(name)
    parts = _parts(name)
    known = frozenset[str]().union(*(words_ for _, _, words_ in _CLASSES)) | {"ponta", "de", "off"}
    beside = [word for word, each in _BESIDE if each.intersection(parts)]
    told = known.union(*(each for _, each in _BESIDE))
    if not (meant or beside) or not told.issuperset(parts):
        return name.replace("_", " ").strip() or name
    said = [words.text(word) for word in (meant, *beside) if word]
    return ", ".join(said)

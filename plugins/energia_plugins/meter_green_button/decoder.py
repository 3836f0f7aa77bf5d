"""The decoder of the format `green_button`: a stream of XML events, with what they mean."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final
from xml.parsers import expat

from energia import Item, Malformed, Names, Problem, Unfit, archive_files, archive_head
from energia.time import FIRST_YEAR, LAST_YEAR
from energia_plugins.meter_green_button.feed import Entry, Feed
from energia_plugins.meter_green_button.options import GreenButtonOptions
from energia_plugins.meter_green_button.types import ReadingType, quality_of, whole

#: The namespaces, which files name by whatever prefix they like.
_ESPI: Final = "http://naesb.org/espi"
_ATOM: Final = "http://www.w3.org/2005/Atom"
#: How deep elements may be nested, and how long one tag or text may be, in bytes.
DEEPEST: Final = 64
LONGEST: Final = 1024 * 1024
_STEP: Final = 64 * 1024

#: With as many digits as decimal arithmetic keeps.
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,12}")
#: Seconds since 1970-01-01T00:00Z between which readings lie.
_FIRST: Final = (FIRST_YEAR - 1970) * 31_556_952 - 86_400
_LAST: Final = (LAST_YEAR - 1969) * 31_556_952 + 86_400

#: The fields of readings and of types.
_FIELDS: Final = {
    f"{_ESPI} {name}": name
    for name in (
        *("start", "duration", "value", "quality"),
        *("uom", "powerOfTenMultiplier", "flowDirection", "accumulationBehaviour"),
        *("defaultQuality", "intervalLength"),
    )
}


class GreenButtonDecoder:
    """Reads feeds of the Energy Services Provider Interface."""

    name = "green_button"
    options: type = GreenButtonOptions
    examples = (
        b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry>
<link rel="self" href="UsagePoint/1/MeterReading/1"/><link rel="related" href="ReadingType/7"/>
<content><MeterReading xmlns="http://naesb.org/espi"/></content></entry><entry>
<link rel="self" href="ReadingType/7"/><content><e:ReadingType xmlns:e="http://naesb.org/espi">
<e:flowDirection>1</e:flowDirection><e:powerOfTenMultiplier>-3</e:powerOfTenMultiplier>
<e:uom>72</e:uom></e:ReadingType></content></entry><entry>
<link rel="self" href="UsagePoint/1/MeterReading/1/IntervalBlock/1"/>
<content><IntervalBlock xmlns="http://naesb.org/espi"><IntervalReading><ReadingQuality><quality>8
</quality></ReadingQuality><timePeriod><duration>900</duration><start>1772323200</start>
</timePeriod><value>250000</value></IntervalReading></IntervalBlock></content></entry></feed>""",
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a feed by the namespace of ESPI, in any encoding."""
        text = archive_head(head).replace(b"\0", b"")
        begin = text[:4].translate(None, b"\xef\xbb\xbf\xff\xfe") + text[4:]
        return _ESPI.encode() in text and begin.lstrip().startswith(b"<")

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item]:
        """Yield the readings of each block once its type is known, or its problem.

        Raises:
            Malformed: It is not well-formed, declares a document type, or has nothing of ESPI.
            Invalid: It names several meters or channels where one was given.

        """
        names = Names.of(options)
        for _, pieces in archive_files(chunks):
            yield from _Document(Feed(names, options)).read(pieces)


class _Document:
    """One document while it is read: what stands between the XML parser and the feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._entries = [Entry()]
        self._fields: dict[str, str] = {}
        self._texts: list[str] = []
        self._qualities: list[int] = []
        self._line = 0
        self._is_espi = False
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.CharacterDataHandler = self._texts.append
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._handlers()

    def read(self, chunks: Iterable[bytes]) -> Iterator[Item]:
        """Yield what the document says; raises `Malformed`."""
        fed = 0
        for chunk in chunks:
            for begin in range(0, len(chunk), _STEP):
                piece = chunk[begin : begin + _STEP]
                fed += len(piece)
                self._feed_parser(piece, final=False)
                self._refuse_long(fed)
                yield from self._taken()
        self._feed_parser(b"", final=True)
        if not self._is_espi:
            raise Malformed(f"the document has no element of the namespace {_ESPI}")
        self._feed.close(self._entries[0])
        self._feed.finish()
        yield from self._taken()

    def _taken(self) -> Iterator[Item]:
        found = self._feed.found
        yield from chain.from_iterable(found)
        found.clear()

    def _feed_parser(self, data: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            message = expat.ErrorString(error.code)
            raise Malformed(f"line {error.lineno}: not well-formed XML: {message}") from None
        except (LookupError, ValueError) as error:  # an encoding that is none, or has no table
            raise Malformed(f"line 1: the encoding cannot be read: {error}") from None

    def _refuse_long(self, fed: int) -> None:
        """Refuse a tag, a comment or a text that does not end, so that memory is bounded."""
        unread = fed - self._parser.CurrentByteIndex
        if unread > LONGEST or sum(map(len, self._texts)) > LONGEST:
            line = self._parser.CurrentLineNumber
            raise Malformed(f"line {line}: a tag or a text is longer than {LONGEST} bytes")

    def _refuse_doctype(self, *_: object) -> None:
        line = self._parser.CurrentLineNumber
        raise Malformed(f"line {line}: a document type (DOCTYPE) is declared, which is refused")

    def _handlers(self) -> tuple[Callable[[str, Mapping[str, str]], None], Callable[[str], None]]:
        """Return what is called at the start and at the end of each element, ten times a reading.

        Local variables, because attributes would take a fifth of the time.
        """
        texts, fields, depth, opened = self._texts, self._fields, 0, ""
        field_of, starts, ends = _FIELDS.get, self._starts(), self._ends()
        clear = texts.clear

        def start(name: str, attributes: Mapping[str, str]) -> None:
            nonlocal depth, opened
            depth += 1
            if depth > DEEPEST:
                line = self._parser.CurrentLineNumber
                raise Malformed(f"line {line}: elements are nested more than {DEEPEST} deep")
            opened = name
            clear()
            if name in starts:
                starts[name](attributes)

        def end(name: str) -> None:
            nonlocal depth, opened
            depth -= 1
            field = field_of(name)
            if field is not None:
                # What holds elements is no number, whatever text is around them.
                fields[field] = "".join(texts) if opened == name else "<"
            elif name in ends:
                ends[name]()
            opened = ""

        return start, end

    def _starts(self) -> Mapping[str, Callable[[Mapping[str, str]], None]]:
        return {
            f"{_ATOM} entry": lambda _: self._entries.append(Entry()),
            f"{_ATOM} link": self._link,
            f"{_ESPI} IntervalReading": self._begin,
            f"{_ESPI} ReadingType": self._begin,
            f"{_ESPI} MeterReading": lambda _: self._note(meter_reading=True),
            f"{_ESPI} UsagePoint": lambda _: self._note(usage_point=True),
            **dict.fromkeys(_OTHERS, lambda _: self._note()),
        }

    def _ends(self) -> Mapping[str, Callable[[], None]]:
        return {
            f"{_ATOM} entry": lambda: self._feed.close(self._entries.pop()),
            f"{_ESPI} ReadingQuality": self._take_quality,
            f"{_ESPI} IntervalReading": self._told(self._take_reading),
            f"{_ESPI} ReadingType": self._told(self._take_type),
        }

    def _note(self, *, meter_reading: bool = False, usage_point: bool = False) -> None:
        self._is_espi = True
        self._entries[-1].has_meter_reading |= meter_reading
        self._entries[-1].has_usage_point |= usage_point

    def _link(self, attributes: Mapping[str, str]) -> None:
        if len(self._entries) > 1:  # the links of the feed itself tell nothing
            self._entries[-1].link(attributes.get("rel", ""), attributes.get("href", ""))

    def _begin(self, _: Mapping[str, str]) -> None:
        """Begin a reading or a type, whose fields come now."""
        self._is_espi = True
        self._fields.clear()
        self._qualities.clear()
        self._line = self._parser.CurrentLineNumber

    def _told(self, take: Callable[[], None]) -> Callable[[], None]:
        """Return what takes an element, or notes what is wrong with it."""

        def told() -> None:
            try:
                take()
            except Unfit as error:
                self._feed.found.append([Problem(self._line, error.code, str(error))])

        return told

    def _take_quality(self) -> None:
        """Note the quality of a reading, as a number where it is one."""
        self._qualities.append(_quality(self._fields.pop("quality", "")))

    def _take_type(self) -> None:
        self._entries[-1].types.append(ReadingType.of(self._line, self._fields))

    def _take_reading(self) -> None:
        start = whole(self._fields.get("start"), "start")
        if start is None:
            raise Unfit("missing_field", "the reading has no start")
        if not _FIRST < start < _LAST:
            raise Unfit("out_of_range", f"the years are {FIRST_YEAR} to {LAST_YEAR}")
        length = whole(self._fields.get("duration"), "duration")
        if length is not None and not 0 < length < 10**9:
            raise Unfit("wrong_interval", f"the duration {length} is out of range")
        quality = max(self._qualities, default=-1)
        entry = self._entries[-1]
        entry.line = entry.line or self._line
        value = _value(self._fields.get("value"))
        entry.readings.add(self._line, start, length or 0, value, quality)


#: Elements that show, too, that a document is of ESPI, though they have no reading.
_OTHERS: Final = tuple(
    f"{_ESPI} {name}"
    for name in (
        *("IntervalBlock", "UsageSummary", "ElectricPowerUsageSummary", "LocalTimeParameters"),
        *("ElectricPowerQualitySummary", "ApplicationInformation", "ServiceCategory"),
    )
)


@lru_cache(maxsize=64)
def _quality(text: str) -> int:
    """Return our code of a quality; what is no number is some other."""
    code = text.strip()
    if not code:
        return quality_of(0)
    return quality_of(int(code) if code.isascii() and code.isdigit() and len(code) < 10 else 16)


def _value(text: str | None) -> int | Decimal | None:
    """Return a value: a whole number as a rule; None where it is missing. Raises `Unfit`."""
    if text is not None and "." in text and _DECIMAL.fullmatch(text.strip()):
        return Decimal(text.strip())
    return whole(text, "value")

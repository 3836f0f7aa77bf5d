"""The format `ndjson`: a JSON object a line, a single reading or a series of consecutive slots.

What `GET /v1/meters/{meter}/readings` gives as `application/x-ndjson` is read back unchanged: a
null whose quality is null says nothing, as of a slot of which nothing was ever sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any, Final

import attrs
import msgspec

from energia import (
    QUALITIES,
    Decoder,
    Problem,
    Reading,
    Unfit,
    file_lines,
    hookimpl,
    stamp_instant,
)
from energia.convert.repeats import has_repeats
from energia.time import length_of

#: The longest line, in bytes: more than a year of 15-minute values.
LONGEST: Final = 4 * 1024**2

_SINGLE: Final = frozenset({"meter", "channel", "start", "end", "value", "unit", "quality"})

_SERIES: Final = frozenset({"meter", "channel", "start", "interval", "values", "unit", "quality"})

_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)

_CODES: Final = {name: code for code, name in enumerate(QUALITIES)}


@attrs.frozen
class NdjsonOptions:
    """A file needs no options: each line says everything."""


class NdjsonDecoder:
    """Reads JSON objects, one a line."""

    name = "ndjson"
    options: type = NdjsonOptions
    examples = (
        b'{"meter": "m", "channel": "c", "start": "2026-03-02T00:00:00Z", "value": 1.25}\n'
        b'{"start": "2026-03-02T00:15:00Z", "interval": "PT15M", "values": [0.5, null, "3"]}\n',
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a file by its first line: an object with a time and values."""
        line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
        has_time = b'"start"' in line or b'"end"' in line
        return line.startswith(b"{") and has_time and b'"value' in line

    def decode(
        self,
        chunks: Iterable[bytes],
        options: Any,
    ) -> Iterator[Reading | Problem]:
        """Yield the readings of each line, or its problem; raises `Malformed`."""
        for number, text in file_lines(chunks, LONGEST):
            if not (line := text.strip()):
                continue
            try:
                yield from _readings(number, _object(line))
            except msgspec.DecodeError as error:
                yield Problem(number, "not_json", f"not JSON: {error}")
            except UnicodeDecodeError:
                yield Problem(number, "not_json", "not UTF-8")
            except RecursionError:
                yield Problem(number, "not_json", "nested too deeply")
            except Unfit as error:
                yield Problem(number, error.code, str(error))


def _object(line: bytes) -> object:
    item: object = _JSON.decode(line)
    if has_repeats(line, item):
        raise Unfit("repeated_field", "the object has a field more than once")
    return item


def _readings(line: int, item: object) -> Iterator[Reading]:
    """Yield the readings of a line, all of which must be whole before the first is given."""
    if not isinstance(item, dict):
        raise Unfit("wrong_type", "expected an object")
    series = "values" in item
    unknown = sorted(set(item) - (_SERIES if series else _SINGLE))
    if unknown:
        raise Unfit("unknown_field", f"there is no field {unknown[0][:60]!r}")
    meter, channel, unit = (_text(item, name) for name in ("meter", "channel", "unit"))
    quality = _quality(item.get("quality"))
    silent = "quality" in item and item["quality"] is None
    if not series:
        value = _value(_needed(item, "value"))
        start, end = _instant(item, "start"), _instant(item, "end")
        if (start is None) == (end is None):
            raise Unfit("missing_field", "give either start or end")
        if value is None and silent:
            return iter(())
        return iter((Reading(line, value, start, end, quality, meter, channel, unit),))
    start, step = _start(item), _interval(_needed(item, "interval"))
    values = [_value(value) for value in _array(item["values"])]
    return (
        Reading(line, value, at, at + step, quality, meter, channel, unit)
        for at, value in zip(count(start, step), values, strict=False)
        if value is not None or not silent
    )


def _text(item: Mapping[str, object], name: str) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise Unfit("wrong_type", f"{name}: expected a string")
    return value


def _quality(name: object) -> int:
    if name is None:
        return _CODES["actual"]
    if not isinstance(name, str) or name not in _CODES:
        known = ", ".join(QUALITIES)
        raise Unfit("unknown_quality", f"there is no quality {str(name)[:40]!r}; known are {known}")
    return _CODES[name]


def _value(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unfit("not_a_number", "the value is not a number")
    try:
        number = Decimal(value) if len(str(value)) <= 60 else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Unfit("not_a_number", f"{str(value)[:60]!r} is not a number")
    return number


def _needed(item: Mapping[str, object], name: str) -> object:
    if name not in item:
        raise Unfit("missing_field", f"the field {name} is missing")
    return item[name]


def _instant(item: Mapping[str, object], name: str) -> int | None:
    text = _text(item, name)
    if text is None:
        return None
    return stamp_instant(text, name)


def _start(item: Mapping[str, object]) -> int:
    start = _instant(item, "start")
    if start is None:
        raise Unfit("missing_field", "the field start is missing")
    return start


def _interval(value: object) -> int:
    try:
        return length_of(str(value))
    except ValueError as error:
        raise Unfit("wrong_interval", f"interval: {error}") from None


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Unfit("wrong_type", "values: expected an array")
    return value


@hookimpl
def register_decoders() -> list[Decoder]:
    """Offer the format."""
    return [NdjsonDecoder()]

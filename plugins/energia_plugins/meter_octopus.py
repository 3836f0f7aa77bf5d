"""The format `octopus`: the JSON that Octopus Energy's API answers with for consumption.

A page is `{"count", "next", "previous", "results": [{"consumption", "interval_start",
"interval_end"}]}`, the newest first, each time with its offset from UTC.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import (
    Decoder,
    Malformed,
    NameOptions,
    Names,
    Problem,
    Reading,
    Unfit,
    UnitName,
    hookimpl,
    json_document,
    stamp_instant,
)

#: The longest page, in bytes: 25,000 half-hours, the most that one has, take four million.
LONGEST: Final = 16 * 1024**2

_FIELDS: Final = ("consumption", "interval_start", "interval_end")


@attrs.frozen
class OctopusOptions(NameOptions):
    """A page names no meter and no unit.

    Attributes:
        unit: The unit of the values: electricity is in kWh, gas in kWh or m3, by the kind of meter.
            By default the channel's.

    """

    unit: UnitName | None = None


class OctopusDecoder:
    """Reads a page of consumption."""

    name = "octopus"
    options: type = OctopusOptions
    examples = (
        b'{"count":2,"next":null,"previous":null,"results":[{"consumption":0.234,"interval_start":'
        b'"2026-03-29T01:30:00+00:00","interval_end":"2026-03-29T03:00:00+01:00"},{"consumption":'
        b'0.1,"interval_start":"2026-03-29T00:30:00Z","interval_end":"2026-03-29T01:00:00Z"}]}',
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a page by the names in it."""
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
        return begins and all(f'"{name}"'.encode() in head for name in _FIELDS)

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Yield a reading for each result, or its problem; a line is the number of a result.

        Raises:
            Malformed: It is not JSON, or not a page of consumption.

        """
        names = Names.of(options).ours(None, None, 1)
        for number, result in enumerate(_results(_page(chunks)), start=1):
            try:
                value, start, end = _read(result)
            except Unfit as error:
                yield Problem(number, error.code, f"result {number}: {error}")
            else:
                if names is not None:
                    meter, channel = names
                    yield Reading(
                        number, value, start, end, meter=meter, channel=channel, unit=options.unit
                    )


def _page(chunks: Iterable[bytes]) -> object:
    too_long = f"a page of consumption has at most {LONGEST} bytes"
    return json_document(chunks, LONGEST, too_long, "an object of the page")


def _results(page: object) -> list[object]:
    results = page.get("results") if isinstance(page, dict) else page
    if not isinstance(results, list):
        raise Malformed("a page of consumption has an array `results`")
    return results


def _read(result: object) -> tuple[Decimal | None, int, int]:
    """Return the value of a result, and when its slot starts and ends; raises `Unfit`."""
    if not isinstance(result, dict):
        raise Unfit("wrong_type", "expected an object")
    for name in _FIELDS:
        if name not in result:
            raise Unfit("missing_field", f"the field {name} is missing")
    start, end = (stamp_instant(result[name], name) for name in _FIELDS[1:])
    if start >= end:
        raise Unfit("wrong_interval", "it ends before it starts")
    return _value(result["consumption"]), start, end


def _value(value: object) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit("not_a_number", "the consumption is not a number")
    if abs(value) > 10**30:
        raise Unfit("not_a_number", "the consumption is out of range")
    return Decimal(value)


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `octopus`."""
    return [OctopusDecoder()]

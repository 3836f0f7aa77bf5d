"""The plugin `meter-ndjson`: a JSON object a line, through the public hooks."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import Malformed
from energia.metering.decoders import Problem, Reading
from energia.plugins import Plugins
from energia_plugins import meter_ndjson
from tests.plugins.csv_files import chunks

SINGLE = (
    '{"meter":"m","channel":"c","start":"2026-03-01T00:00:00-03:00","value":0.412,"unit":"kWh"}'
)
SERIES = (
    '{"meter":"m","start":"2026-03-01T00:00:00Z","interval":"PT15M","values":[0.1,null,"0.30"],'
    '"quality":"estimated"}'
)


def decoded(data: str | bytes, size: int = 1 << 20) -> list[Reading | Problem]:
    """Decode a file that comes in chunks of a size."""
    decoder = Plugins.of(meter_ndjson=meter_ndjson).decoders()["ndjson"]
    items = decoder.decode(chunks(data, size), decoder.options())
    return [item for item in items if isinstance(item, Reading | Problem)]


def test_a_line_is_a_reading() -> None:
    """A number is exact as it is written; the start is an instant."""
    assert decoded(SINGLE + "\n") == [
        Reading(1, Decimal("0.412"), 1_772_334_000, None, 1, "m", "c", "kWh")
    ]


def test_a_line_is_a_series() -> None:
    """Values follow each other by the interval; null is missing."""
    found = decoded(SERIES)

    assert [(one.start, one.value, one.quality) for one in found if isinstance(one, Reading)] == [
        (1_772_323_200, Decimal("0.1"), 5),
        (1_772_324_100, None, 5),
        (1_772_325_000, Decimal("0.30"), 5),
    ]


def test_a_series_tells_how_long_its_slots_are() -> None:
    """Each value has both ends: a channel whose slots have another length refuses it."""
    found = decoded('{"start":"2026-03-01T00:00:00Z","interval":"PT1H","values":[1,2]}\n')

    assert [(one.start, one.end) for one in found if isinstance(one, Reading)] == [
        (1_772_323_200, 1_772_326_800),
        (1_772_326_800, 1_772_330_400),
    ]


def test_a_null_without_a_quality_says_nothing() -> None:
    """A null that is missing says so; a quality of null alone is as good as none."""
    start = '"start":"2026-03-01T00:00:00Z"'
    lines = [
        f'{{{start},"value":null,"quality":null}}',
        f'{{{start},"value":null,"quality":"missing"}}',
        f'{{{start},"value":null}}',
        f'{{{start},"value":1,"quality":null}}',
        f'{{{start},"interval":"PT1H","values":[null,2,null],"quality":null}}',
    ]

    found = decoded("\n".join(lines))

    told = [(one.line, one.value, one.start) for one in found if isinstance(one, Reading)]
    midnight = 1_772_323_200
    assert told == [
        (2, None, midnight),
        (3, None, midnight),
        (4, 1, midnight),
        (5, 2, midnight + 3600),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "not_json"),
        ('{"start":"2026-03-01T00:00:00Z","value":1,"value":2}', "repeated_field"),
        ("[]", "wrong_type"),
        ('{"start":"2026-03-01T00:00:00","value":1}', "naive_time"),
        ('{"start":"yesterday","value":1}', "not_a_time"),
        ('{"start":"2026-03-01T00:00:00.5Z","value":1}', "off_grid"),
        ('{"value":1}', "missing_field"),
        ('{"start":"2026-03-01T00:00:00Z"}', "missing_field"),
        (
            '{"start":"2026-03-01T00:00:00Z","end":"2026-03-01T01:00:00Z","value":1}',
            "missing_field",
        ),
        ('{"start":"2026-03-01T00:00:00Z","value":true}', "not_a_number"),
        ('{"start":"2026-03-01T00:00:00Z","value":"NaN"}', "not_a_number"),
        ('{"start":"2026-03-01T00:00:00Z","value":1,"quality":"fine"}', "unknown_quality"),
        ('{"start":"2026-03-01T00:00:00Z","value":1,"valeu":2}', "unknown_field"),
        ('{"start":"2026-03-01T00:00:00Z","interval":"P1D1","values":[1]}', "wrong_interval"),
        ('{"start":"2026-03-01T00:00:00Z","interval":"PT1H","values":1}', "wrong_type"),
        ('{"meter":1,"start":"2026-03-01T00:00:00Z","value":1}', "wrong_type"),
    ],
)
def test_a_bad_line_is_named(line: str, code: str) -> None:
    """What is wrong has a code and its line; the lines around it are read."""
    found = decoded(f"{SINGLE}\n\n{line}\r\n{SINGLE}")

    assert [type(one) for one in found] == [Reading, Problem, Reading]
    problem = found[1]
    assert isinstance(problem, Problem)
    assert (problem.line, problem.code) == (3, code)


def test_a_line_that_never_ends_is_refused() -> None:
    """Memory is bounded: the file is refused at its longest line."""
    with pytest.raises(Malformed, match="line 1 is longer"):
        decoded(b"x" * (meter_ndjson.LONGEST + 2), 1 << 16)


@given(st.integers(1, 40))
def test_chunks_make_no_difference(size: int) -> None:
    """Wherever the file is cut, within a character too, the same is read."""
    data = ("\ufeff" + SINGLE.replace('"c"', '"número"') + "\r\n" + SERIES + "\n").encode()

    assert decoded(data, size) == decoded(data)

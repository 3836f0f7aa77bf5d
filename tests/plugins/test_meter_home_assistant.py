"""The plugin `meter-home-assistant`: exported statistics, through the public hooks."""

from decimal import Decimal
from pathlib import Path

import pytest

from energia.errors import Invalid, Malformed
from energia.metering.decoders import Problem, Reading
from energia_plugins.meter_home_assistant import rows
from tests.plugins.meter_files import DECODERS, decoded, problems, readings

DATA = Path(__file__).parents[1] / "data" / "meters"
#: 2026-03-01T00:00Z.
FIRST = 1_772_323_200
DERIVED, QUESTIONABLE = 6, 7


def table(*lines: str, header: str = "statistic_id,start_ts,sum") -> str:
    """Return a file of CSV."""
    return "\n".join((header, *lines)) + "\n"


def test_a_join_of_the_tables() -> None:
    """What a sum grew by in an hour is exact; statistics without a sum count nothing."""
    data = (DATA / "home_assistant_join.csv").read_bytes()

    found = decoded("home_assistant", data, {"meter": "m", "channels": "sensor.meter_import:i"})

    hour = FIRST + 3600
    name, boiler = ("m", "i", "kWh"), ("m", "sensor.boiler", "kWh")
    assert found == [
        Reading(4, Decimal("0.250000000000001"), hour, hour + 3600, DERIVED, *name),
        Reading(6, Decimal("0.25"), hour + 3600, hour + 7200, DERIVED, *boiler),
        # The register began anew and no reset is told, as after an exchange: it is doubtful.
        Reading(7, Decimal("0.500000000000000"), hour + 3600, hour + 7200, QUESTIONABLE, *name),
        # An hour is missing before; then the sum is rounded, which is no way back.
        Reading(9, Decimal(0), hour + 14400, hour + 18000, DERIVED, *name),
    ]


def test_an_answer_of_the_api() -> None:
    """Milliseconds and times with an offset are read; a sum that went back is told by its row."""
    data = (DATA / "home_assistant_answer.json").read_bytes()

    found = decoded("home_assistant", data, {"meter": "m", "unit": "kWh"})

    assert problems(found) == [(3, "register_went_back")]
    assert [(one.line, one.channel, str(one.value)) for one in readings(found)] == [
        (2, "sensor.meter_import", "0.25"),
        (4, "sensor.meter_import", "1.0"),
        (6, "sensor.meter_export", "0.3"),
    ]


@pytest.mark.parametrize(
    "wrapped",
    [
        '[{"statistic_id":"s","start_ts":1772323200.0,"sum":1},'
        '{"statistic_id":"s","start_ts":1772326800.0,"sum":3}]',
        '{"service_response":{"statistics":{"s":[{"start":"2026-03-01T00:00:00+00:00","sum":1},'
        '{"start":"2026-03-01T01:00:00Z","sum":3}]}}}',
        table("s,1772323200,1", "s,1772326800,3"),
        table("s;1772323200;1", "s;1772326800;3", header="metadata_id;start_ts;sum"),
        table(
            "s\t2026-03-01 00:00:00+00:00\t1", "s\t1772326800000\t3", header="entity_id\tstart\tsum"
        ),
    ],
)
def test_the_shapes_that_there_are(wrapped: str) -> None:
    """A table of any usual mark, and answers of the API and of the action."""
    found = decoded("home_assistant", wrapped)

    assert [(one.start, one.channel, one.value) for one in readings(found)] == [
        (FIRST + 3600, "s", Decimal(2))
    ]
    decoder = DECODERS["home_assistant"]
    assert decoder.sniff(wrapped.encode()) is True  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("s,1772326800", "missing_column"),
        ("s,,1", "missing_field"),
        ("s,1772326800,x", "not_a_number"),
        ("s,1772326800,NaN", "not_a_number"),
        ("s,1772326800,1e99", "not_a_number"),
        ("s,1772326800.5,1", "off_grid"),
        ("s,1772326900,1", "off_grid"),
        ("s,noon,1", "not_a_time"),
        ("s,2026-03-01 01:00:00,1", "naive_time"),
        ("s,99999999999999,1", "out_of_range"),
        ("s,1772319600,1", "out_of_order"),
        ("s,1772323200,2", "reads_differ"),
        ("s,1772326800,0.5", "register_went_back"),
    ],
)
def test_a_bad_row_is_named(line: str, code: str) -> None:
    """Its line is told, and nothing is counted across what does not follow."""
    found = decoded("home_assistant", table("s,1772323200,1.00", line))

    assert problems(found) == [(3, code)]
    assert readings(found) == []


def test_seconds_are_not_taken_for_milliseconds() -> None:
    """A number in `start` is in milliseconds, as the API has it; in `start_ts` it is in seconds."""
    (found,) = decoded("home_assistant", table("s,1772323200,1", header="statistic_id,start,sum"))

    assert isinstance(found, Problem)
    assert found.code == "not_a_time"
    assert "start_ts" in found.message


def test_rows_of_five_minutes() -> None:
    """They need their interval; rows that are further apart give nothing, which is told."""
    data = table("s,1772323200,1", "s,1772323500,1.5")

    found = decoded("home_assistant", data, {"interval": "PT5M"})

    assert [one.value for one in readings(found)] == [Decimal("0.5")]
    assert problems(decoded("home_assistant", data)) == [(3, "off_grid")]
    hours = table("s,1772323200,1", "s,1772326800,2")
    assert problems(decoded("home_assistant", hours, {"interval": "PT5M"})) == [(3, "no_slot")]


def test_the_end_of_a_row_is_believed() -> None:
    """A row of a day is no row of an hour."""
    data = '[{"statistic_id":"s","start":1772323200000,"end":1772409600000,"sum":1}]'

    assert problems(decoded("home_assistant", data)) == [(1, "wrong_interval")]


@pytest.mark.parametrize(
    "data",
    [
        *("", "a,b\n1,2\n", "sum\n1\n", "start_ts,sum,sum\n", "start_ts,sum\n\udcff"),
        *("{", "1", '{"a":1}', "[1]", '{"a":[],"a":[]}', "[" * 5000, 'start_ts,sum\n"1,2\n'),
    ],
)
def test_what_has_no_statistics_is_malformed(data: str) -> None:
    """It is neither a table with their columns nor JSON of their rows."""
    with pytest.raises(Malformed):
        decoded("home_assistant", data.encode("utf-8", "surrogateescape"))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines, answers and blanks before them have a limit."""
    monkeypatch.setattr(rows, "LONGEST", 100)
    monkeypatch.setattr(rows, "LONGEST_LINE", 50)

    for data, told in (
        ("[" + " " * 100, "at most 100 bytes"),
        ("start_ts,sum\n" + "1" * 51, "line 2 is longer"),
        (" " * 51, "nothing but blanks"),
    ):
        with pytest.raises(Malformed, match=told):
            decoded("home_assistant", data, size=10)


def test_an_interval_that_divides_no_day_is_refused() -> None:
    """The fault points at the option."""
    with pytest.raises(Invalid) as caught:
        decoded("home_assistant", table("s,1772323200,1"), {"interval": "PT7M"})

    assert [fault.pointer for fault in caught.value.faults] == ["/interval"]

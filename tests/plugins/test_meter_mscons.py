"""The plugin `meter-mscons`: EDIFACT messages of the German market, through the public hooks."""

from decimal import Decimal
from pathlib import Path

import pytest

from energia.errors import Invalid, Malformed
from energia.metering.decoders import MeterRead, Problem, Reading
from tests.plugins.meter_files import decoded, problems, readings, runs_of

DATA = Path(__file__).parents[1] / "data" / "meters"
#: 2026-03-01T00:00Z.
START = 1_772_323_200


def message(*segments: str) -> str:
    """Return an interchange of one message with segments below its header."""
    body = [*segments, f"UNT+{len(segments) + 2}+1"]
    head = "UNB+UNOC:3+1:500+2:500+260302:0000+R1'UNH+1+MSCONS:D:04B:UN:2.4b'"
    return head + "'".join([*body, "UNZ+1+R1"]) + "'"


TIMES = "DTM+163:202603010000?+00:303", "DTM+164:202603010015?+00:303"
POINT = "LOC+172+DE0001", "PIA+5+1-1?:1.29.0:SRW"


def test_the_marks_are_those_of_the_interchange() -> None:
    """Separators, decimal mark and release come from the UNA; offsets may have minutes."""
    found = decoded("mscons", (DATA / "mscons_marks.txt").read_bytes())

    names = "DE*0001", "1-1:2.29.0"
    assert found == [
        Reading(10, Decimal("1234.5"), START - 3600, START - 2700, 1, *names, "Wh"),
        Reading(13, Decimal("0.000001"), START, START + 900, 1, *names, "kWh"),
    ]


def test_qualifiers_are_qualities() -> None:
    """What is no reading of an interval is named by its segment, and the rest is read."""
    found = decoded("mscons", (DATA / "mscons_qualities.txt").read_bytes())

    assert [(one.value, one.quality) for one in readings(found)] == [(Decimal("1.5"), 3), (None, 0)]
    assert problems(found) == [
        (13, "unknown_quality"),
        (17, "naive_time"),
        (19, "missing_field"),
        (26, "not_supported"),
    ]


def test_reads_of_registers() -> None:
    """A quantity with one time is a read; the time for which it counts goes before."""
    read = "QTY+220:4711.5:KWH", "DTM+9:202603010915?+00:303", "DTM+7:202603010000?+00:303"
    point = "LOC+172+DE0001", "RFF+MG:1ESM42", "PIA+5+1-1?:1.8.0:SRW"
    found = runs_of("mscons", message(*point, *read))

    names = "DE0001", "1-1:1.8.0", "kWh"
    assert found == [MeterRead(6, Decimal("4711.5"), START, 1, *names, equipment="1ESM42")]


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("QTY+220:1", "kWh"),
        ("QTY+220:1:KWH", "kWh"),
        ("QTY+220:1:MWH", "MWh"),
        ("QTY+220:1:MTQ", "m3"),
        ("QTY+220:1:XYZ", "XYZ"),
    ],
)
def test_units(quantity: str, unit: str) -> None:
    """A quantity without a unit has that of its OBIS code."""
    (found,) = readings(decoded("mscons", message(*POINT, quantity, *TIMES)))

    assert (found.unit, found.end) == (unit, START + 900)


def test_a_product_that_tells_no_unit() -> None:
    """Then the channel's holds."""
    data = message("LOC+172+DE0001", "PIA+5+AUA:Z08", "QTY+220:1", *TIMES)

    assert [one.unit for one in readings(decoded("mscons", data))] == [None]


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        (("QTY+220:1,5:KWH", *TIMES), "not_a_number"),
        (("QTY+220:1e5:KWH", *TIMES), "not_a_number"),
        (("QTY+220:1:KWH", TIMES[0], "DTM+164:202603010000?+00:303"), "wrong_interval"),
        (("QTY+220:1:KWH", TIMES[0], "DTM+164:202602300000?+00:303"), "not_a_time"),
        (("QTY+220:1:KWH", TIMES[0], "DTM+164:202603012400?+00:303"), "not_a_time"),
        (("QTY+220:1:KWH", TIMES[0], "DTM+164:202603010000MEZ:303"), "not_a_time"),
        (("QTY+220:1:KWH", TIMES[0], "DTM+164:20260301000000?+00:303"), "not_a_time"),
        (("QTY+220:1:KWH", TIMES[0], "DTM+164:280003010000?+00:303"), "out_of_range"),
    ],
)
def test_a_bad_quantity_is_named(segments: tuple[str, ...], code: str) -> None:
    """It has one problem, and is no reading."""
    found = decoded("mscons", message(*POINT, *segments))

    assert [one.code for one in found if isinstance(one, Problem)] == [code]
    assert readings(found) == []


def test_lost_segments_are_told() -> None:
    """A message says how many it has."""
    data = message(*POINT, "QTY+220:1", *TIMES).replace("UNT+7", "UNT+10")

    assert problems(decoded("mscons", data)) == [(8, "segments_lost")]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "UNH+1",
        "a,b\n1,2\n",
        "UNA:+.? 'UNB+UNOC:3'",
        "UNA::.? 'UNB+UNOC:3'UNZ+1'",
        "UNAa+.? 'UNB+UNOC:3'UNZ+1'",
        "UNB+UNOC:3'UNH+1+UTILMD:D'UNT+2+1'UNZ+1'",
        message(*POINT, "QTY+220:1", *TIMES)[:-20],
        message(*POINT, "QTY+220:1" + "0" * 70_000, *TIMES),
    ],
)
def test_what_is_no_whole_interchange_is_malformed(data: str) -> None:
    """Other files, other messages and files that are cut off are refused."""
    with pytest.raises(Malformed):
        decoded("mscons", data)


def test_names_stand_for_ours() -> None:
    """The last colon parts an OBIS code from ours."""
    data = message(*POINT, "QTY+220:1", *TIMES)

    (found,) = readings(decoded("mscons", data, {"meter": "m", "channels": "1-1:1.29.0:import"}))
    assert (found.meter, found.channel) == ("m", "import")
    with pytest.raises(Invalid, match="'DE0001' and 'DE0002'"):
        decoded(
            "mscons",
            message(*POINT, "QTY+220:1", *TIMES, "LOC+172+DE0002", "QTY+220:1", *TIMES),
            {"meter": "m"},
        )

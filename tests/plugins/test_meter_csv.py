"""The plugin `meter-csv`: files under a declared mapping, through the public hooks."""

import gzip
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from energia.convert import TEXT
from energia.db.pool import Tenant
from energia.errors import Invalid, Malformed
from energia.metering import query, usage
from energia.metering.decoders import Defaults, Problem, Reading
from energia.metering.imports import Intake
from energia.metering.outcome import Outcome
from energia.plugins import Plugins
from energia.settings import Settings
from energia.time import Granularity, Zone
from energia_plugins import meter_csv
from tests.core.metering.setting import FixedClock, counts, meter
from tests.plugins.csv_files import chunks, decoded

DATA = Path(__file__).parents[1] / "data" / "household"
HOURLY = DATA / "uk-electricity-hdd-only-hourly-sample-0.csv.gz"
HALF_HOURLY = DATA / "uk-electricity-hdd-only-hourly-sample-1.csv.gz"


async def load(
    tenant: Tenant, data: bytes, options: Mapping[str, str] | None = None, *, skip: bool = False
) -> Outcome:
    """Import a file as the API does."""
    decoder = Plugins.of(meter_csv=meter_csv).decoders()["csv"]
    structured: object = TEXT.structure(dict(options or {}), decoder.options)
    intake = Intake.of(Settings(), FixedClock(), tenant)
    return await intake.file(chunks(data, 1 << 16), decoder, structured, Defaults("m"), skip=skip)


@pytest.mark.parametrize(
    ("path", "interval", "options", "expected", "total", "days"),
    [
        (
            HALF_HOURLY,
            "PT30M",
            {"timezone": "+00:00"},
            (22_536, 22_521, 15),
            "5554.874000",
            {date(2013, 3, 31): ("4.723000", 46), date(2013, 10, 27): ("10.403000", 50)},
        ),
        (
            HOURLY,
            "PT1H",
            {},
            (23_508, 23_508, 0),
            "3789.626000",
            {date(2021, 3, 28): ("3.892000", 23), date(2021, 10, 31): ("5.986000", 25)},
        ),
    ],
)
async def test_real_households(
    tenant: Tenant,
    path: Path,
    interval: str,
    options: dict[str, str],
    expected: tuple[int, int, int],
    total: str,
    days: dict[date, tuple[str, int]],
) -> None:
    """Counts, sums and local days of two published households; again it writes nothing."""
    channel = await meter(tenant, interval=interval)
    data = gzip.decompress(path.read_bytes())

    first, again = await load(tenant, data, options), await load(tenant, data, options)

    assert (first.received, first.created, first.repeated) == expected
    assert counts(again) == counts(first) | {"created": 0, "unchanged": first.created}
    assert await tenant.fetch(int, "select max(revision) from reading_day") == [1]
    london = Zone.named("Europe/London")
    for day, (value, slots) in days.items():
        start, end = london.midnight(day), london.midnight(day + timedelta(1))
        series = await query.series(tenant, channel, start, end)
        (found,) = usage.by_window(
            series, usage.bounds(london, Granularity.parse("P1D"), start, end)
        )
        assert (found.value, found.coverage.actual) == (_micro(value), slots)
    sums = await tenant.fetch(Decimal, "select sum(value) from reading")
    assert sums == [Decimal(total)]


def _micro(text: str) -> int:
    return int(Decimal(text).scaleb(6))


def test_columns_by_name() -> None:
    """Columns are found by their headers, whatever their order; empty cells are absent."""
    text = (
        'quality,"kWh used",Serial,when,Register\n'
        'Estimated,1,m1,2026-03-01T00:00:00Z,E1\n"",2,,2026-03-01T01:00:00Z,\n'
    )

    found = decoded(
        text,
        {
            "start_column": "when",
            "value_column": "kWh used",
            "meter_column": "Serial",
            "channel_column": "Register",
            "quality_column": "quality",
            "unit": "Wh",
            "stamp": "end",
        },
    )

    assert found == [
        Reading(2, Decimal(1), None, 1_772_323_200, 5, "m1", "E1", "Wh"),
        Reading(3, Decimal(2), None, 1_772_326_800, 1, None, None, "Wh"),
    ]


def test_rows_that_do_not_fit() -> None:
    """Short rows and unknown qualities are problems with their line; the others are read."""
    text = (
        "start,value,q\n2026-03-01T00:00:00Z\n2026-03-01T00:00:00Z,1,good\n2026-03-01T00:00:00Z,1,"
    )

    found = decoded(text, {"quality_column": "q"})

    assert [item.code for item in found if isinstance(item, Problem)] == [
        "missing_column",
        "unknown_quality",
    ]
    assert isinstance(found[2], Reading)


def test_a_row_of_more_columns_than_the_header_is_a_problem() -> None:
    """A decimal comma that is not quoted does not become a smaller number; empty ends may stay."""
    found = decoded("start,value\n2026-03-01T00:00:00Z,1,5\n2026-03-01T01:00:00Z,2,,\n")

    assert isinstance(found[0], Problem)
    assert (found[0].line, found[0].code) == (2, "surplus_column")
    assert isinstance(found[1], Reading)


@pytest.mark.parametrize(
    ("header", "options", "word"),
    [
        ("start,val", {}, "'val'"),
        ("start,value,value", {}, "several"),
        ("", {}, "no columns"),
        ("start,value", {"meter_column": "m"}, "'m'"),
        ("start;value", {}, "`delimiter=;`"),
    ],
)
def test_headers(header: str, options: dict[str, str], word: str) -> None:
    """A column that is not there is refused, and the message tells those that are."""
    with pytest.raises(Invalid) as caught:
        decoded(header + "\n", options)

    assert word in caught.value.faults[0].message


@pytest.mark.parametrize(
    "data",
    [
        b"start,value\n2026-03-01T00:00:00Z,\xff\n",
        b"start,value\n" + b"x" * 70_000,
        b'start,value\n"' + b"x,\n" * 70_000,
        b'start,value\n"a"b,1\n',
        b'start,value\n2026-03-01T00:00:00Z,"1\n',
        b"start,value\r2026-03-01T00:00:00Z,1\r",
        "start,value\n".encode("utf-16"),
    ],
)
def test_files_that_cannot_be_read(data: bytes) -> None:
    """Bad text, endless lines and quotes that never close are refused in bounded memory."""
    with pytest.raises(Malformed) as caught:
        decoded(data, size=4096)

    assert "line" in caught.value.detail


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "UTF-8"])
def test_encodings(encoding: str) -> None:
    """Other encodings are read when they are declared."""
    data = "start,énergie\n2026-03-01T00:00:00Z,1\n".encode(encoding)

    assert len(decoded(data, {"encoding": encoding, "value_column": "énergie"}, 7)) == 1


async def test_end_stamps_are_moved_by_the_interval(tenant: Tenant) -> None:
    """With `stamp=end` a slot starts an interval before its stamp."""
    channel = await meter(tenant, interval="PT30M")

    await load(tenant, b"start,value\n2026-03-01T00:30:00Z,1\n", {"stamp": "end"})

    found = await query.series(tenant, channel, 1_772_323_200, 1_772_323_200 + 1800)
    assert found.values.tolist() == [1_000_000]


async def test_problems_have_lines_and_nothing_is_stored(tenant: Tenant) -> None:
    """All problems of a file are told with their lines, those of the core too."""
    await meter(tenant)
    rows = ["2026-03-01T00:00Z,1", "2026-03-01T00:30Z,1", "x,1", "2026-03-01T01:00Z,1e99"]
    data = "\n".join(["start,value", *rows]).encode()

    with pytest.raises(Invalid) as caught:
        await load(tenant, data)

    found = sorted((fault.line or 0, fault.code) for fault in caught.value.faults)
    assert found == [(3, "off_grid"), (4, "bad_time"), (5, "out_of_range")]
    assert await tenant.fetch(int, "select count(*) from reading_day") == [0]
    skipped = await load(tenant, data, skip=True)
    assert (skipped.received, skipped.created, skipped.rejected) == (4, 1, 3)


async def test_a_file_of_several_batches(tenant: Tenant) -> None:
    """A file over the size of a batch folds repeats and refuses contradictions all the same."""
    await meter(tenant, interval="PT15M")
    first = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [f"{first + timedelta(minutes=15 * n)},{n % 7}" for n in range(60_000)]
    text = "\n".join(["start,value", *rows, rows[5], rows[6].rsplit(",", 1)[0] + ",99"])

    outcome = await load(tenant, text.encode(), skip=True)

    assert (outcome.created, outcome.repeated, outcome.rejected) == (60_000, 1, 1)
    assert [(fault.code, fault.line) for fault in outcome.problems] == [
        ("duplicate_in_request", 60_003)
    ]

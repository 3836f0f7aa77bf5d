"""Decimal numbers in columns: they are what their texts are."""

from array import array
from collections.abc import Sequence
from decimal import Decimal
from tempfile import TemporaryFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.metering import files
from energia.metering.decoders import Decimals, Defaults, Reading, Readings, Run
from energia.metering.files import FileBatch, Spool
from energia.metering.outcome import Problems

#: Digits with their sign, and how many of them are behind the point.
NUMBERS = st.lists(
    st.tuples(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 15)), min_size=1, max_size=20
)


def _column(numbers: list[tuple[int, int]]) -> Decimals:
    units, places = zip(*numbers, strict=True)
    return Decimals(np.array(units, np.int64), np.array(places, np.int8))


@given(NUMBERS)
def test_numbers_of_a_column_are_those_of_their_texts(numbers: list[tuple[int, int]]) -> None:
    """Digits, trailing zeros too, and the nearest float of each, alone and in a part."""
    column = _column(numbers)
    expected = [Decimal(f"{units}e-{places}") for units, places in numbers]

    assert [str(number) for number in column] == [str(number) for number in expected]
    assert [column[at] for at in range(len(column))] == expected
    assert list(column[1:]) == expected[1:]
    assert column.floats.tolist() == [float(str(number)) for number in expected]


def test_a_number_may_be_missing() -> None:
    """What is missing is no number, alone and among others, and NaN as a float."""
    column = _column([(125, 2), (0, -1)])

    assert (column[1], list(column)) == (None, [Decimal("1.25"), None])
    assert np.isnan(column.floats).tolist() == [False, True]


def test_parts_are_joined() -> None:
    """The numbers of one part come after those of the other."""
    parts = [_column([(125, 2)]), _column([(5, 0), (-10, 1)])]

    assert list(map(str, Decimals.joined(parts))) == ["1.25", "5", "-1.0"]


def test_readings_of_columns_are_readings() -> None:
    """What has no objects gives ordinary numbers one by one."""
    first, _ = Readings(range(2, 4), _column([(125, 2), (5, 0)]), [0, 900]).readings()

    assert (first.line, first.value, first.start) == (2, Decimal("1.25"), 0)


SORTS = st.lists(
    st.tuples(st.sampled_from(["decimals", "list", "single", "run"]), NUMBERS), max_size=12
)


def _item(sort: str, numbers: list[tuple[int, int]], line: int) -> Reading | Run | Readings:
    column = _column(numbers)
    if sort == "single":
        return Reading(line, column[0], line * 900, meter="m")
    if sort == "run":
        return Run(line, line * 900, 900, list(column), meter="m")
    values = column if sort == "decimals" else list(column)
    lines = range(line, line + len(column))
    return Readings(lines, values, array("q", [at * 900 for at in lines]), meter="m")


@given(SORTS, st.sampled_from([0, 64]))
def test_readings_of_several_sorts_are_kept_alike(
    items: list[tuple[str, list[tuple[int, int]]]], groups: int
) -> None:
    """Columns, lists and single readings wait to be stored as what they are one by one."""
    mixed = [_item(*each, line) for line, each in enumerate(items, 1)]
    single = [
        reading
        for item in mixed
        for reading in ([item] if isinstance(item, Reading) else item.readings())
    ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_GROUPS", groups)
        assert _kept(mixed) == _kept(single)


def _kept(items: Sequence[Reading | Run | Readings]) -> list[object]:
    with TemporaryFile() as file:
        spool = Spool(file)
        spool.fill(items, Defaults(None, "import"), Problems(), 10**6)
        batch = spool.take()
        if batch is None:
            return []
        assert isinstance(batch, FileBatch)
        runs = batch.runs()
        numbers = [runs.exact(index) for index in range(len(runs.values))]
        lines = [runs.locate(run, None).line for run in range(len(runs.starts))]
        return [runs.origins, runs.starts.tolist(), runs.values.tolist(), numbers, lines]

"""Rows that are read many at a time say the same as one by one."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia_plugins.meter_csv import layouts
from tests.plugins.csv_files import decoded

#: Two hours before clocks go back in London.
BEGIN = datetime(2026, 10, 24, 22)
#: How far the next row is: on, back, at the same time, or over a day.
STEPS = st.sampled_from([30, 30, 30, 30, 60, 0, -30, 1440])
CELLS = st.sampled_from(["1", "2.5", "", "x"])


@given(
    rows=st.lists(st.tuples(STEPS, CELLS), min_size=1, max_size=40),
    size=st.integers(1, 6),
    ends=st.booleans(),
    word=st.sampled_from(["", "Z", "+01:00", "?"]),
)
def test_blocks_do_not_matter(
    rows: list[tuple[int, str]], size: int, ends: bool, word: str
) -> None:
    """Local time, the hour that comes twice, blanks, faults: wherever blocks begin and end."""
    moment, lines = BEGIN, ["start,value"]
    for index, (step, cell) in enumerate(rows):
        moment += timedelta(minutes=step)
        lines.append(f"{moment:%Y-%m-%d %H:%M}{word if index % 5 == 4 else ''},{cell}")
    options = {"timezone": "Europe/London", "stamp": "end" if ends else "start"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "_BLOCK", size)
        found = decoded("\n".join(lines), options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts.LongLayout, "_of_block", lambda *_: None)
        expected = decoded("\n".join(lines), options)

    assert found == expected

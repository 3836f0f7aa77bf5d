"""Which options a file of comma-separated values may have."""

import pytest

from energia.errors import Invalid
from tests.plugins.csv_files import decoded


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"timezone": "Mars/Base"}, "unknown_timezone"),
        ({"unit": "mWh"}, "wrong_unit"),
        ({"encoding": "rot13"}, "unknown_encoding"),
        ({"date_format": "%d/%m %H:%M"}, "bad_date_format"),
        ({"date_format": "%Q%Y%m%d"}, "bad_date_format"),
        ({"date_format": "dd/mm/yyyy"}, "bad_date_format"),
        ({"date_format": "%d/%m/%Y%Y"}, "bad_date_format"),
        ({"thousands": "."}, "bad_mark"),
        ({"delimiter": "5"}, "bad_mark"),
        ({"delimiter": "::"}, "too_long"),
        ({"stamp": "middle"}, "unknown_value"),
        ({"decimal": ";"}, "unknown_value"),
        ({"colour": "red"}, "unknown_field"),
        ({"date_format": "%d/%m/%Y"}, "bad_date_format"),
        ({"date_format": "%d/%m/%Y %I:%M"}, "bad_date_format"),
        ({"date_format": "%d/%m/%Y %H:%M %"}, "bad_date_format"),
        ({"date_format": "%d/%m/%Y %H:%M", "time_column": "t"}, "bad_date_format"),
        ({"date_format": "epoch", "time_column": "t"}, "bad_date_format"),
        ({"time_column": "t", "time_format": "%M"}, "bad_time_format"),
        ({"time_format": "%H:%M"}, "contradiction"),
        ({"time_column": "t", "time_format": "number"}, "missing_field"),
        ({"numbers": "clock"}, "contradiction"),
        ({"change_end": "before"}, "contradiction"),
        ({"power": "kW"}, "missing_field"),
        ({"power": "kW", "interval": "PT7M"}, "wrong_interval"),
        ({"power": "kW", "interval": "15"}, "wrong_interval"),
        ({"power": "kW", "interval": "PT15M", "unit": "kWh"}, "contradiction"),
        ({"power": "kWh", "interval": "PT15M"}, "unknown_value"),
        ({"wide": "a..b", "time_column": "t"}, "contradiction"),
        ({"wide": "a..b", "values": "x=y"}, "contradiction"),
        ({"wide": "a"}, "bad_span"),
        ({"wide_quality": "a..b"}, "contradiction"),
        ({"day_rows": "true", "time_column": "t"}, "contradiction"),
        ({"day_rows": "yes"}, "wrong_type"),
        ({"header": "last"}, "bad_header"),
        ({"footer_rows": "101"}, "out_of_range"),
        ({"values": "two words=A"}, "bad_target"),
        ({"values": "import="}, "bad_list"),
        ({"values": '"import=A'}, "bad_list"),
        ({"values": "import=A", "channel_column": "c"}, "contradiction"),
        ({"meter_words": "a=b"}, "missing_field"),
        ({"channel_words": "a=b"}, "missing_field"),
        ({"quality_words": "a=estimated"}, "missing_field"),
        ({"quality_column": "q", "quality_words": "a=good"}, "unknown_quality"),
        ({"quality_column": "q", "quality_words": "a=actual,A=estimated"}, "repeated_word"),
        ({"meter_column": "m", "meter_words": "a"}, "bad_list"),
        ({"where": "Type"}, "bad_list"),
    ],
)
def test_options_that_cannot_be(options: dict[str, str], code: str) -> None:
    """Options are checked before the file is read."""
    with pytest.raises(Invalid) as caught:
        decoded("start,value\n", options)

    assert [fault.code for fault in caught.value.faults] == [code]


def test_all_options_that_cannot_be_are_told() -> None:
    """One refusal names every option that does not fit."""
    codes = {
        "delimiter": "bad_mark",
        "thousands": "bad_mark",
        "stamp": "unknown_value",
        "timezone": "unknown_timezone",
        "unit": "wrong_unit",
        "encoding": "unknown_encoding",
    }

    with pytest.raises(Invalid) as caught:
        decoded("", dict.fromkeys(codes, "x") | {"thousands": "."})

    found = {str(fault.pointer): fault.code for fault in caught.value.faults}
    assert found == {f"/{name}": code for name, code in codes.items()}

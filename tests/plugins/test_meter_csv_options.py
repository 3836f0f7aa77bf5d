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

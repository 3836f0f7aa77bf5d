"""The plugin `meter-green-button`: feeds of utilities in the US and Canada, by the public hooks."""

from decimal import Decimal
from pathlib import Path

import pytest

from energia.errors import Malformed
from energia.metering.decoders import MeterRead, Reading
from energia_plugins.meter_green_button import feed
from tests.plugins.meter_files import decoded, problems, readings, runs_of

DATA = Path(__file__).parents[1] / "data" / "meters"
#: 2026-03-01T00:00Z.
START = 1_772_323_200
ESPI = 'xmlns="http://naesb.org/espi"'
TYPE = f"<ReadingType {ESPI}><uom>72</uom>{{}}</ReadingType>"


def document(fields: str, of_type: str = "", *, time: str | None = None) -> str:
    """Return a document with one reading."""
    period = f"<duration>900</duration><start>{START}</start>" if time is None else time
    reading = f"<IntervalReading><timePeriod>{period}</timePeriod>{fields}</IntervalReading>"
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><content>{TYPE.format(of_type)}'
        f"<IntervalBlock {ESPI}>{reading}</IntervalBlock></content></entry></feed>"
    )


def test_links_join_readings_and_types() -> None:
    """Whichever comes first; powers of ten are exact, and repeated blocks come twice."""
    found = decoded("green_button", (DATA / "green_button_links.xml").read_bytes())

    forward, reverse = ("5446AF3F", "Wh.forward", "Wh"), ("5446AF3F", "Wh.reverse", "Wh")
    assert found == [
        Reading(24, Decimal("0.250"), START + 900, START + 1800, 2, *forward),
        Reading(29, Decimal("0.125"), START, START + 900, 2, *forward),
        Reading(35, Decimal("0.125"), START, START + 900, 2, *forward),
        Reading(45, Decimal(-3000), START, START + 900, 1, *reverse),
    ]


def test_an_entry_joins_readings_and_types() -> None:
    """The worst of several qualities holds, an unknown one is some other, empty is missing."""
    found = readings(decoded("green_button", (DATA / "green_button_nested.xml").read_bytes()))

    assert [(one.value, one.quality) for one in found] == [
        (Decimal("1.5"), 5),
        (Decimal(7), 1),
        (None, 1),
    ]
    assert {(one.end or 0) - (one.start or 0) for one in found} == {3600}


def test_the_only_type_of_a_feed() -> None:
    """Nothing links to it, and it comes last; a slot is as long as its reading says."""
    (found,) = decoded("green_button", (DATA / "green_button_no_links.xml").read_bytes())

    assert found == Reading(3, Decimal(41), START, START + 30 * 86_400, 1, None, "therm", "therm")


def test_several_types_without_links_are_refused() -> None:
    """Whether it is electricity or gas is not guessed."""
    found = decoded("green_button", (DATA / "green_button_two_types.xml").read_bytes())

    assert problems(found) == [(5, "unknown_type")]


def test_a_feed_without_types() -> None:
    """The client says the unit and the power of ten; without them it is refused."""
    data = document("<value>5</value>").replace(TYPE.format(""), "")

    assert problems(decoded("green_button", data)) == [(1, "unknown_type")]
    (found,) = readings(decoded("green_button", data, {"unit": "Wh", "power_of_ten": "3"}))
    assert (found.value, found.unit) == (Decimal(5000), "Wh")


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("4", {}, []),
        ("0", {}, []),
        ("1", {}, [(1, "ambiguous_time")]),
        ("1", {"accumulation": "interval"}, [(1, "ambiguous_time")]),
        ("3", {}, [(1, "ambiguous_time")]),
        ("3", {"accumulation": "interval"}, []),
        ("12", {}, [(1, "not_supported")]),
    ],
)
def test_reads_with_a_duration_are_refused(
    kind: str, options: dict[str, str], expected: list[tuple[int, str]]
) -> None:
    """When such a read was taken is not told; some utilities mean the amount of an interval."""
    data = document("<value>5</value>", f"<accumulationBehaviour>{kind}</accumulationBehaviour>")

    assert problems(decoded("green_button", data, options)) == expected


def test_reads_of_registers() -> None:
    """A bulk quantity is what a register shows at an instant, by its power of ten."""
    kind = "<accumulationBehaviour>1</accumulationBehaviour>"
    power = "<powerOfTenMultiplier>3</powerOfTenMultiplier>"
    time = f"<start>{START}</start>"
    found = runs_of("green_button", document("<value>18344</value>", kind + power, time=time))

    assert found == [MeterRead(1, Decimal("18344E3"), START, 1, None, "Wh", "Wh")]


@pytest.mark.parametrize(
    ("fields", "time", "code"),
    [
        ("<value>x</value>", None, "not_a_number"),
        ("<value>1_0</value>", None, "not_a_number"),
        ("<value>5<b/>6</value>", None, "not_a_number"),
        ("<value>1</value>", "<start/>", "missing_field"),
        ("<value>1</value>", "<duration>900</duration>", "missing_field"),
        ("<value>1</value>", "<start>1721154384.66</start>", "not_a_number"),
        ("<value>1</value>", f"<duration>0</duration><start>{START}</start>", "wrong_interval"),
        ("<value>1</value>", "<start>99999999999</start>", "out_of_range"),
    ],
)
def test_a_bad_reading_is_named(fields: str, time: str | None, code: str) -> None:
    """It has the line where it begins."""
    found = decoded("green_button", document(fields, time=time).replace("<Int", "\n<Int"))

    assert problems(found) == [(3, code)]


def test_namespaces_are_known_by_their_uri() -> None:
    """The names of others are passed over, whatever prefix they have."""
    data = document("<value>5</value>").replace(
        "<IntervalReading>", '<IntervalReading><x:value xmlns:x="urn:x">9</x:value>'
    )

    assert [one.value for one in readings(decoded("green_button", data))] == [5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "no element found"),
        ("<feed>", "no element found"),
        ("<feed/>", "no element of the namespace"),
        ("<a><b></a>", "line 1: not well-formed XML: mismatched tag"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DOCTYPE"),
        ("<a>" * 100, "nested more than 64 deep"),
        ('<?xml version="1.0" encoding="none-such"?><a/>', "encoding"),
        (f"<a b='{'x' * 2_000_000}'/>", "longer than"),
        (f"<a>{'x' * 2_000_000}</a>", "longer than"),
    ],
)
def test_what_is_no_feed_is_malformed(data: str, message: str) -> None:
    """A document type is refused before anything that it declares is looked at."""
    with pytest.raises(Malformed, match=message):
        decoded("green_button", data)


def test_readings_wait_for_their_type_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not come, memory does not grow."""
    monkeypatch.setattr(feed, "MOST_HELD", 0)

    with pytest.raises(Malformed, match="line 3: more than 0 readings"):
        decoded("green_button", (DATA / "green_button_no_links.xml").read_bytes())


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("MOST_LINKED", "links of an entry"),
        ("MOST_KEPT", "links of the feed"),
        ("MOST_TYPES", "types of readings"),
    ],
)
def test_links_and_types_are_kept_in_bounds(
    monkeypatch: pytest.MonkeyPatch, limit: str, message: str
) -> None:
    """A feed of nothing else does not fill the memory."""
    monkeypatch.setattr(feed, limit, 1)

    with pytest.raises(Malformed, match=message):
        decoded("green_button", (DATA / "green_button_links.xml").read_bytes())


def test_two_meters_of_one_name_are_refused() -> None:
    """The usage points 1 of two customers are not one meter."""
    entry = (
        '<entry><link rel="self" href="RetailCustomer/{}/UsagePoint/1/MeterReading/1'
        f'/IntervalBlock/1"/><content>{TYPE.format("")}<IntervalBlock {ESPI}><IntervalReading>'
        f"<timePeriod><duration>900</duration><start>{START}</start></timePeriod>"
        "<value>1</value></IntervalReading></IntervalBlock></content></entry>"
    )
    data = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry.format(5)}{entry.format(6)}</feed>'

    found = decoded("green_button", data)

    assert [one.meter for one in readings(found)] == ["1"]
    assert problems(found) == [(1, "several_meters")]


def test_a_type_that_changes_after_it_was_used_is_told() -> None:
    """What was read before may be wrong."""
    link = '<link rel="self" href="ReadingType/1"/>'
    block = document("<value>1</value>").partition("<entry>")[2].partition("</feed>")[0]
    block = block.replace(TYPE.format(""), "")
    type_ = f"<entry>{link}<content>{TYPE}</content></entry>"
    data = (
        '<feed xmlns="http://www.w3.org/2005/Atom">'
        + type_.format("")
        + f'<entry><link rel="related" href="ReadingType/1"/>{block}'
        + type_.format("<powerOfTenMultiplier>3</powerOfTenMultiplier>")
        + "</feed>"
    )

    assert problems(decoded("green_button", data)) == [(1, "repeated_type")]

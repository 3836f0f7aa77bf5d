"""What messages over MQTT say: paths, names, times, counters, presets."""

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import ACTUAL, QUALITIES, MeterRead, Problem, Reading, structure
from energia.errors import Invalid
from energia_plugins.meter_mqtt.mapping import Message, MessageMapping
from energia_plugins.meter_mqtt.reader import Batch, Reader, fits
from energia_plugins.meter_mqtt.settings import Settings, Topic, preset_texts

DERIVED = QUALITIES.index("derived")
#: 2026-03-01T00:00:00Z.
START = 1_772_323_200
PLAIN = {"topic": "meters/+/energy", "meter": "{2}", "values": {"import": "kwh"}}


def message(
    payload: object, after: int = 0, topic: str = "meters/a/energy", **more: Any
) -> Message:
    """Return a message that comes some seconds after the first instant of these tests."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic, text, START + after, **more)


def reader(state: dict[str, Any] | None = None, **topic: Any) -> Reader:
    """Return what reads the messages of one topic."""
    return Reader([MessageMapping(structure({**PLAIN, **topic}, Topic))], state or {})


def read(*messages: Message, **topic: Any) -> Batch:
    """Return what messages come to."""
    return reader(**topic).read(messages)


def readings(batch: Batch) -> list[Reading]:
    """Return the readings of a batch."""
    return [one for one in batch.readings.values() if isinstance(one, Reading)]


def values(batch: Batch) -> list[tuple[str | None, Decimal | None]]:
    """Return the values of a batch with their channels; there are no problems."""
    assert batch.problems == []
    return [(one.channel, one.value) for one in batch.readings.values()]


def codes(batch: Batch) -> list[str]:
    """Return the codes of the problems of a batch, which has no reading."""
    assert batch.readings == {}
    return [one.code for one in batch.problems]


def test_a_counter_becomes_readings_of_slots() -> None:
    """What it showed at the ends of slots counts, as of its arrival; what is between does not."""
    sent = [(0, "10.0"), (60, "10.1"), (900, "10.5"), (1790, "10.9"), (1801, "11.25")]
    batch = read(
        *(message(f'{{"kwh": {value}}}'.encode(), after) for after, value in sent), unit="kWh"
    )

    assert batch.items == [
        Reading(3, Decimal("0.5"), START, START + 900, DERIVED, "a", "import", "kWh"),
        Reading(5, Decimal("0.75"), START + 900, START + 1800, DERIVED, "a", "import", "kWh"),
    ]


def test_a_counter_goes_on_from_the_state() -> None:
    """Neither a restart nor a message that comes again loses or doubles anything."""
    first = reader().read([message({"kwh": 1}), message({"kwh": 2}, 900)])
    state = json.loads(json.dumps(first.state))

    again = [message({"kwh": 2}, 900, is_again=True), message({"kwh": 4}, 1800)]
    batch = reader(state).read(again)

    assert [one.value for one in first.readings.values()] == [Decimal(1)]
    assert [(one.start, one.value) for one in readings(batch)] == [(START + 900, Decimal(2))]
    assert batch.problems == []


def test_a_counter_of_another_unit_begins_anew() -> None:
    """10 kWh and 10,000 Wh have no difference; neither have slots of other lengths."""
    state = read(message({"kwh": 10}), unit="kWh").state

    by_unit = reader(dict(state), unit="Wh").read([message({"kwh": 10_100}, 900)])
    by_length = reader(dict(state), unit="kWh", interval="PT5M").read([message({"kwh": 11}, 300)])

    assert by_unit.items == by_length.items == []


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"kwh": 3, "since": "2026-01-01"}, "register_went_back"),
        ({"kwh": 0.1, "since": "2026-03-01"}, "equipment_changed"),
    ],
)
def test_nothing_is_counted_across_a_reset(second: dict[str, Any], code: str) -> None:
    """It is told, and counting begins anew."""
    sent = [{"kwh": 10, "since": "2026-01-01"}, second, {**second, "kwh": 4}]

    batch = read(
        *(message(one, 900 * number) for number, one in enumerate(sent)), equipment="since"
    )

    assert [one.code for one in batch.problems] == [code]
    assert [one.start for one in readings(batch)] == [START + 900]


def test_a_counter_that_is_never_read_at_the_end_of_a_slot_is_told_once() -> None:
    """It would give nothing for ever."""
    sent = [message({"kwh": at}, 450 + 900 * at) for at in range(6)]

    batch = read(*sent, tolerance="PT1M")

    assert codes(batch) == ["no_slot"]
    assert "tolerance" in batch.problems[0].message


def test_reads_of_a_counter_are_kept_where_that_is_wanted() -> None:
    """One for each slot, whatever it shows: their channel judges them, a reset too."""
    sent = [(0, 10, "a"), (60, 11, "a"), (901, 12, "a"), (1800, 1, "b")]
    messages = [message({"kwh": value, "id": id_}, after) for after, value, id_ in sent]

    batch = read(*messages, reads=True, equipment="id", unit="kWh")

    assert batch.items == [
        MeterRead(line, Decimal(value), START + at, ACTUAL, "a", "import", "kWh", equipment=id_)
        for line, (at, value, id_) in ((1, sent[0]), (3, sent[2]), (4, sent[3]))
    ]


SLOTS: dict[str, Any] = {"counter": False, "time": "t"}


def test_values_of_slots_are_stored_as_they_are() -> None:
    """By their ends or their starts; of several of one slot the last stands; null is missing."""
    sent = [(0, 1.5), (900, None), (0, 2)]
    messages = [message({"kwh": value, "t": START + at}, 60) for at, value in sent]

    by_end = read(*messages, **SLOTS, times="epoch")
    by_start = read(*messages, **SLOTS, times="epoch", stamp="start")

    assert by_end.items == [
        Reading(3, Decimal(2), None, START, ACTUAL, "a", "import"),
        Reading(2, None, None, START + 900, ACTUAL, "a", "import"),
    ]
    assert [one.start for one in readings(by_start)] == [START, START + 900]


@pytest.mark.parametrize(
    ("times", "value"),
    [
        ("iso", "2026-03-01T00:00:00Z"),
        ("iso", "2026-02-28T21:00:00-03:00"),
        ("local", "2026-02-28T21:00:00"),
        ("epoch", START),
        ("epoch", f"{START}"),
        ("epoch_ms", START * 1000),
    ],
)
def test_times(times: str, value: object) -> None:
    """A time means the same instant in each of its forms."""
    batch = read(
        message({"kwh": 1, "t": value}), **SLOTS, times=times, timezone="America/Sao_Paulo"
    )

    assert [one.end for one in readings(batch)] == [START]


@pytest.mark.parametrize(
    ("times", "value", "code"),
    [
        ("iso", "2026-03-01T00:00:00", "naive_time"),
        ("iso", "yesterday", "not_a_time"),
        ("iso", None, "no_time"),
        ("local", "2026-03-01T00:00:00Z", "not_a_time"),
        ("local", "2025-11-02T01:30:00", "ambiguous_time"),
        ("local", "2025-03-09T02:30:00", "no_such_time"),
        ("epoch", START + 0.5, "off_grid"),
        ("epoch", START + 100_000, "clock_fault"),
        ("epoch", 5, "clock_fault"),
        ("epoch", "soon", "wrong_type"),
    ],
)
def test_times_that_are_refused(times: str, value: object, code: str) -> None:
    """In doubt nothing is stored; nor where the device's clock is not set."""
    zone = "America/New_York"

    assert codes(read(message({"kwh": 1, "t": value}), **SLOTS, times=times, timezone=zone)) == [
        code
    ]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_json"),
        (b"on", "not_json"),
        (b'{"kwh": 1', "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"kwh": 1, "kwh": 2}', "repeated_field"),
        (b'{"other": 1}', "no_value"),
        (b"12", "no_value"),
        (b'{"kwh": "much"}', "wrong_type"),
        (b'{"kwh": true}', "wrong_type"),
        (b'{"kwh": 1e99}', "out_of_range"),
        (b'{"kwh": [1, 2]}', "several_values"),
        (b" " * 300_000, "too_large"),
    ],
)
def test_messages_that_cannot_be_read(payload: bytes, code: str) -> None:
    """Each is told with its topic, and those behind it are read."""
    batch = read(message(payload), message({"kwh": 1}, topic="meters/b/energy"))

    (problem,) = batch.problems
    assert (problem.line, problem.code) == (1, code)
    assert problem.message.startswith("meters/a/energy: ")
    assert list(batch.state) == ["counter:b/import"]


def test_numbers_are_exact() -> None:
    """No value passes through a binary float."""
    batch = read(message(b'{"kwh": 0.30000000000000004, "t": 1772323200}'), **SLOTS, times="epoch")

    assert values(batch) == [("import", Decimal("0.30000000000000004"))]


def test_names_come_from_the_topic_and_from_the_message() -> None:
    """What they come to is an id of ours, or stands for one."""
    sent = {"kwh": 1, "t": START, "device": {"id": 7}, "unit": "Wh"}
    topic = {"meter": "{2}-{device.id}", "unit": "{unit}", "meters": {"a-7": "UC-1"}}

    batch = read(
        message(sent), message(sent, topic="meters/b/energy"), **SLOTS, times="epoch", **topic
    )

    assert [(one.meter, one.unit) for one in batch.readings.values()] == [
        ("UC-1", "Wh"),
        ("b-7", "Wh"),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (None, "no_name"),
        ([], "no_name"),
        ("", "no_name"),
        ("cellar, left", "unknown_meter"),
        ("a" * 65, "unknown_meter"),
        ("a\0", "bad_character"),
    ],
)
def test_a_name_that_is_none_is_refused(name: object, code: str) -> None:
    """A reading of nobody is none."""
    sent = message({"kwh": 1, "t": START, "id": name})

    assert codes(read(sent, **SLOTS, times="epoch", meter="{id}")) == [code]


def test_sums_are_exact() -> None:
    """No digit is lost, however many there are."""
    sent = message(b'{"kwh": [123456789012345678901234567.5, 0.000000000000000000000001], "t": 0}')

    batch = read(sent, sum=True)

    assert batch.state["counter:a/import"]["register"]["value"] == (
        "123456789012345678901234567.500000000000000000000001"
    )


@given(
    st.sampled_from(list(preset_texts())),
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["ENERGY", "Total", "aenergy", "total", "total_act", "Time"]),
                    inner,
                    max_size=3,
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_message_stops_the_reader(name: str, payload: bytes) -> None:
    """Whatever comes is a reading, nothing, or a problem."""
    mapping = MessageMapping(structure({"preset": name, "timezone": "UTC"}, Topic))
    topic = mapping.filter.replace("+", "a")
    sent = [Message(topic, payload, START + 900 * number) for number in range(3)]

    batch = Reader([mapping], {}).read(sent)

    assert all(isinstance(one, Reading | Problem) for one in batch.items)
    assert "unreadable" not in {one.code for one in batch.problems}
    json.dumps(batch.state)


@pytest.mark.parametrize(
    ("topic", "filter_", "fitting"),
    [
        ("a/b", "a/b", True),
        ("a/b", "+/b", True),
        ("a/b", "a/#", True),
        ("a", "a/#", True),
        ("a/b/c", "a/+", False),
        ("a/b", "a/b/+", False),
        ("a/b", "#", True),
        ("$SYS/uptime", "#", False),
        ("$SYS/uptime", "$SYS/#", True),
    ],
)
def test_filters(topic: str, filter_: str, fitting: bool) -> None:
    """Wildcards mean what the standard says (MQTT 5.0, 4.7)."""
    assert fits(topic.split("/"), filter_.split("/")) == fitting


# Devices.


def preset(name: str, topic: str, *payloads: object, **more: Any) -> Batch:
    """Return what a device's messages come to, a quarter of an hour between two."""
    found = Reader([MessageMapping(structure({"preset": name, **more}, Topic))], {})
    sent = [message(one, 900 * number, topic) for number, one in enumerate(payloads)]
    return found.read(sent)


def used(batch: Batch) -> list[tuple[str | None, str | None, str, str | None]]:
    """Return meter, channel, value and unit of the readings of a batch without problems."""
    assert batch.problems == []
    return [(one.meter, one.channel, str(one.value), one.unit) for one in batch.readings.values()]


@pytest.mark.parametrize("name", preset_texts())
def test_each_preset_is_whole(name: str) -> None:
    """With a broker nothing else has to be said."""
    settings = structure({"broker": "b", "topics": {"x": {"preset": name}}}, Settings)

    assert settings.topics["x"].whole().about


def tasmota(total: object) -> dict[str, Any]:
    """Return a message of a device that counts energy."""
    energy = {"TotalStartTime": "2025-11-23T15:33:47", "Total": total, "Today": 0.002}
    return {"Time": "2026-03-01T01:00:00", "ENERGY": energy}


def test_tasmota() -> None:
    """A number is the counter; of several, as devices have them, one is named, or all are added."""
    analog = {"Time": "2026-03-01T01:00:00", "ANALOG": {"CTEnergy1": {"Energy": 0.5}}}
    plug, several = "tele/plug/SENSOR", [tasmota([1, 2.5]), tasmota({"Phase1": 1.5, "Phase2": 2.5})]

    one = preset("tasmota", plug, tasmota(0.017), tasmota(0.517))
    second = preset("tasmota", plug, *several[:1], values={"import": "ENERGY.Total.1"})

    assert used(one) == [("plug", "import", "0.500", "kWh")]
    assert codes(preset("tasmota", plug, *several)) == ["several_values"] * 2
    assert used(preset("tasmota", plug, *several, sum=True)) == [("plug", "import", "0.5", "kWh")]
    assert second.state["counter:plug/import"]["register"]["value"] == "2.5"
    assert preset("tasmota", plug, analog).items == []


def test_the_time_of_tasmota_counts_where_its_zone_is_said() -> None:
    """It has no offset; without a zone the arrival counts."""
    sent = {"Time": "2026-02-28T21:00:00", "ENERGY": {"Total": 1}}

    arrived = preset("tasmota", "tele/plug/SENSOR", sent)
    told = preset("tasmota", "tele/plug/SENSOR", sent, timezone="America/New_York")

    assert arrived.state["counter:plug/import"]["register"]["instant"] == START
    assert codes(told) == ["clock_fault"]


def test_shelly_of_the_second_generation() -> None:
    """Meters of three phases tell Wh, and the sum of the phases beside them."""
    phases = {"a_total_act_energy": 3_105_576.42, "b_total_act_energy": 195_765.72, "id": 0}
    sent = [
        {**phases, "total_act": total, "total_act_ret": 12.5} for total in (5_415_414.19, 5_415_664)
    ]

    assert used(preset("shelly-em", "shellypro3em-1/status/emdata:0", *sent)) == [
        ("shellypro3em-1", "import", "249.81", "Wh"),
        ("shellypro3em-1", "export", "0.0", "Wh"),
    ]


def test_shelly_meters_of_one_phase() -> None:
    """Each channel is a meter of its own."""
    sent = [{"id": 1, "total_act_energy": total, "total_act_ret_energy": 0.0} for total in (10, 11)]

    assert used(preset("shelly-em1", "pro/status/em1data:1", *sent))[0] == (
        *("pro.em1data:1", "import", "1", "Wh"),
    )


def test_shelly_switches() -> None:
    """Other components tell of themselves in topics alike; they are passed over."""
    topic = "plug/status/switch:0"
    sent = [{"id": 0, "aenergy": {"total": total, "by_minute": [1]}} for total in (1000.5, 1250.75)]

    assert used(preset("shelly-switch", topic, *sent)) == [("plug", "import", "250.25", "Wh")]
    assert preset("shelly-switch", "plug/status/wifi", {"rssi": -60}).items == []


def test_shelly_of_the_first_generation() -> None:
    """Relays count watt-minutes: 60,000 are a kilowatt-hour. Nothing is lost to rounding."""
    relay = "shellies/shelly1pm-1/relay/0/energy"

    assert used(preset("shelly-gen1-relay", relay, 0, 60_000)) == [
        ("shelly1pm-1.0", "import", "1000.000", "Wh")
    ]
    counted = preset("shelly-gen1-relay", relay, *range(0, 601, 10))
    assert sum(one.value or 0 for one in counted.readings.values()) == 10
    assert used(preset("shelly-gen1-em", "shellies/em-1/emeter/1/total", 5.5, 6)) == [
        ("em-1.1", "import", "0.5", "Wh")
    ]


# Settings.


@pytest.mark.parametrize(
    ("topic", "code", "pointer"),
    [
        ({"preset": "tasmoto"}, "unknown_preset", "/topics/x/preset"),
        ({"topic": "a/+", "meter": "{2}"}, "missing_field", "/topics/x"),
        ({**PLAIN, "topic": "a/#/b"}, "not_a_topic", "/topics/x/topic"),
        ({**PLAIN, "topic": "a/b+"}, "not_a_topic", "/topics/x/topic"),
        ({**PLAIN, "meter": "{4}"}, "unknown_place", "/topics/x"),
        ({**PLAIN, "unit": "kilowatt"}, "wrong_unit", "/topics/x"),
        ({**PLAIN, "counter": False}, "missing_field", "/topics/x"),
        ({**PLAIN, "time": "t", "times": "local"}, "missing_field", "/topics/x"),
        ({**PLAIN, "tolerance": "PT15M"}, "out_of_range", "/topics/x"),
    ],
)
def test_settings_that_are_refused(topic: dict[str, Any], code: str, pointer: str) -> None:
    """The service does not start with them, and says where they are."""
    with pytest.raises(Invalid) as refused:
        structure({"broker": "b", "topics": {"x": topic}}, Settings)

    assert [(one.code, one.pointer) for one in refused.value.faults] == [(code, pointer)]


def test_a_broker_without_topics_is_refused() -> None:
    """It would bring nothing."""
    with pytest.raises(Invalid, match="a broker needs topics"):
        structure({"broker": "b"}, Settings)


def test_every_problem_has_its_line() -> None:
    """It is the number of the message in its batch."""
    batch = read(*(message(b"x") for _ in range(3)))

    assert batch.items == [attrs.evolve(one, line=line) for line, one in enumerate(batch.items, 1)]
    assert all(isinstance(one, Problem) for one in batch.items)

"""The plugin `meter-dsmr`: telegrams of P1 ports, through the public hooks."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from energia.errors import Invalid, Malformed
from energia.metering.decoders import MeterRead, Problem, Reading
from energia_plugins.meter_dsmr.telegrams import LONGEST, crc16
from tests.plugins.meter_files import decoded, problems, readings, runs_of
from tests.plugins.test_meter_nem12 import zipped

DATA = Path(__file__).parents[1] / "data" / "meters"
IMPORT = {"meter": "m", "channels": "import:i,export:-"}


def telegram(*lines: str, end: str = "\r\n", crc: str | None = None) -> str:
    """Return a telegram with its CRC, or with another one."""
    text = end.join(("/ISK5\\2M550", "", *lines, "!"))
    stated = f"{crc16(text.encode()):04X}" if crc is None else crc
    return text + stated + end


def read(stamp: str, used: str, meter: str = "4530303031", **how: str) -> str:
    """Return a telegram of one register: so much at a time."""
    lines = f"0-0:1.0.0({stamp})", f"0-0:96.1.1({meter})", f"1-0:1.8.1({used}*kWh)"
    return telegram(*lines, **how)


def at(text: str) -> int:
    """Return the instant of a time with an offset."""
    return int(datetime.fromisoformat(text).timestamp())


def used(items: list[Reading | Problem]) -> list[tuple[int | None, Decimal | None]]:
    """Return when the slots of readings start, and their values."""
    return [(one.start, one.value) for one in readings(items)]


def test_a_file_of_two_directions_and_gas() -> None:
    """Tariffs are added, the total never on top of them; gas has the times of its own meter."""
    data = (DATA / "dsmr_winter_time.txt").read_bytes()
    words = {"meter": "m", "channels": "import:i,export:e,gas.1:g"}

    found = decoded("dsmr", data, words)

    end = at("2026-10-25T01:00:00Z")
    slot = end - 900, end
    hour = end - 3600, end
    assert found == [
        Reading(23, Decimal("0.250"), *slot, 6, "m", "i", "kWh"),
        Reading(25, Decimal("0.012"), *slot, 6, "m", "e", "kWh"),
        Reading(39, Decimal("0.100"), end, end + 900, 6, "m", "i", "kWh"),
        Reading(41, Decimal("0.000"), end, end + 900, 6, "m", "e", "kWh"),
        Reading(47, Decimal("1.107"), *hour, 6, "m", "g", "m3"),
    ]


def test_reads_as_they_are() -> None:
    """With `reads` a register is read at the end of each interval, of the meter that says so."""
    data = (DATA / "dsmr_winter_time.txt").read_bytes()
    words = {"meter": "m", "channels": "import:i,export:-,gas.1:g", "reads": "true"}

    found = runs_of("dsmr", data, words)

    electricity = [one for one in found if isinstance(one, MeterRead) and one.channel == "i"]
    assert len(electricity) == 3
    steps = [after.value - before.value for before, after in pairwise(electricity)]
    assert steps == [Decimal("0.250"), Decimal("0.100")]
    assert {one.equipment for one in found if isinstance(one, MeterRead)} != {None}


@pytest.mark.parametrize(
    ("offset", "stamp", "instant"),
    [
        (None, "161030023000S", "2016-10-30T00:30:00Z"),
        (None, "161030023000W", "2016-10-30T01:30:00Z"),
        ("+02:00", "230701120000S", "2023-07-01T09:00:00Z"),
        ("+00:00", "230202130000W", "2023-02-02T13:00:00Z"),
        ("-03:30", "230202130000W", "2023-02-02T16:30:00Z"),
    ],
)
def test_the_flag_decides_the_hour(offset: str | None, stamp: str, instant: str) -> None:
    """S is an hour ahead of W, which is one hour ahead of UTC if nothing else is said."""
    later = stamp[:8] + f"{int(stamp[8:10]) + 15:02}" + stamp[10:]
    options = IMPORT | ({"offset": offset} if offset else {})

    found = decoded("dsmr", read(stamp, "1.000") + read(later, "1.500"), options)

    assert used(found) == [(at(instant), Decimal("0.500"))]


def test_telegrams_between_the_ends_of_slots_are_passed_over() -> None:
    """Of a telegram every minute, those of the interval are read; a slot with a gap is none."""
    minutes = [minute for minute in range(61) if minute != 30]
    stamps = [f"2603010{minute // 60}{minute % 60:02}00W" for minute in minutes]
    data = "".join(
        read(stamp, f"{minute * 0.1:09.3f}") for stamp, minute in zip(stamps, minutes, strict=True)
    )

    found = decoded("dsmr", data, IMPORT)

    start = at("2026-02-28T23:00:00Z")
    assert found == readings(found)
    assert used(found) == [(start, Decimal("1.500")), (start + 2700, Decimal("1.500"))]


def test_a_tolerance_takes_the_first_read_after_the_end_of_a_slot() -> None:
    """Meters that send every ten seconds seldom do on the minute; the reading says its slot."""
    seconds = [("000007", "1.0"), ("000017", "1.1"), ("001457", "1.9"), ("001507", "2.0")]
    data = "".join(read(f"260301{second}W", value) for second, value in seconds)

    found = decoded("dsmr", data, IMPORT | {"tolerance": "PT10S"})

    assert used(found) == [(at("2026-02-28T23:00:00Z"), Decimal("1.0"))]
    assert decoded("dsmr", data, IMPORT) == []


def test_reads_that_are_never_at_the_end_of_a_slot_are_told() -> None:
    """They reach over a slot and give nothing: of gas alone, where electricity is at the ends."""
    times = [
        ("260301000000W", "000005W"),
        ("260301001500W", "010005W"),
        ("260301003000W", "020005W"),
    ]
    data = "".join(
        telegram(
            f"0-0:1.0.0({stamp})",
            "1-0:1.8.0(1*kWh)",
            "0-1:24.1.0(003)",
            f"0-1:24.2.1(260301{gas})(1*m3)",
        )
        for stamp, gas in times
    )

    found = decoded("dsmr", data, {"meter": "m"})
    tolerant = decoded("dsmr", data, {"meter": "m", "tolerance": "PT5S"})

    assert [one.channel for one in readings(found)] == ["import", "import"]
    assert problems(found) == [(15, "no_slot")]
    assert [one.channel for one in readings(tolerant)] == ["import", "gas.1", "import", "gas.1"]


@pytest.mark.parametrize(
    ("telegrams", "expected"),
    [
        ([("260301001500W", "9.000")], [(13, "register_went_back")]),
        ([("260301010000W", "9.000")], [(13, "register_went_back")]),
        ([("260228234500W", "10.000")], [(13, "out_of_order")]),
        ([("260301000000W", "10.001")], [(13, "reads_differ")]),
        ([("260301001500", "11.000")], [(11, "naive_time")]),
        ([("260231001500W", "11.000")], [(11, "not_a_time")]),
        ([("260301241500W", "11.000")], [(11, "not_a_time")]),
        ([("260301001500W", "1e3")], [(13, "not_a_number")]),
        ([("260301001500W", "-1.000")], [(13, "not_a_number")]),
    ],
)
def test_what_does_not_follow_is_told(
    telegrams: list[tuple[str, str]], expected: list[tuple[int, str]]
) -> None:
    """A register that went back is never counted from silently; lines are those in the file."""
    data = read("260301000000W", "10.000")
    data += "\r\n" + "".join(read(*each) for each in telegrams)

    found = decoded("dsmr", data, IMPORT)

    assert [(line - 1, code) for line, code in problems(found)] == [
        (line - 2, code) for line, code in expected
    ]
    assert readings(found) == []


def test_a_dip_is_nothing_used() -> None:
    """A drop of two of the last digits at most is rounding: its way back is not counted either."""
    values = ["10.000", "9.998", "10.000", "10.001"]
    stamps = [f"26030100{minute:02}00W" for minute in (0, 15, 30, 45)]

    found = decoded("dsmr", "".join(map(read, stamps, values)), IMPORT)

    assert [str(value) for _, value in used(found)] == ["0", "0.000", "0.001"]


def test_another_meter_is_told_and_left_out() -> None:
    """Nothing is counted from one meter to the next; `meters` says whose each is."""
    first = read("260301000000W", "10.000") + read("260301001500W", "10.100")
    second = read("260301001500W", "500.000", "4530303032")
    second += read("260301003000W", "500.200", "4530303032")

    found = decoded("dsmr", first + second, IMPORT)
    both = decoded("dsmr", first + second, {"meters": "E0001:a,E0002:b"})

    assert problems(found) == [(13, "equipment_changed")]
    assert [str(value) for _, value in used(found)] == ["0.100"]
    assert [(one.meter, str(one.value)) for one in readings(both)] == [
        ("a", "0.100"),
        ("b", "0.200"),
    ]


def test_another_gas_meter_is_told() -> None:
    """Its register is another one, whatever it shows."""
    times = ("260301000000W", "260301010000W", "260301020000W")
    parts = [
        telegram("0-1:24.1.0(003)", f"0-1:96.1.0({number})", f"0-1:24.2.1({time})({value}*m3)")
        for number, time, value in zip("112", times, ("1.0", "1.5", "2.0"), strict=True)
    ]

    found = decoded("dsmr", "".join(parts), {"channel": "gas"})

    assert problems(found) == [(17, "equipment_changed")]
    assert used(found) == [(at("2026-02-28T23:00:00Z"), Decimal("0.5"))]


def test_tariffs_and_their_total() -> None:
    """A total stands for itself where there are no tariffs, and must be their sum otherwise."""
    alone = telegram("0-0:1.0.0(260301000000W)", "1-0:1.8.0(000010*Wh)")
    alone += telegram("0-0:1.0.0(260301001500W)", "1-0:1.8.0(000012*Wh)")
    tariffs = "1-0:1.8.1(1.000*kWh)", "1-0:1.8.2(2.000*kWh)"
    wrong = telegram("0-0:1.0.0(260301000000W)", "1-0:1.8.0(4.000*kWh)", *tariffs)
    mixed = telegram("0-0:1.0.0(260301000000W)", tariffs[0], "1-0:1.8.2(2*Wh)")
    lost = telegram("0-0:1.0.0(260301000000W)", *tariffs)
    lost += telegram("0-0:1.0.0(260301001500W)", tariffs[0])

    assert [(str(one.value), one.unit) for one in readings(decoded("dsmr", alone))] == [("2", "Wh")]
    assert problems(decoded("dsmr", wrong)) == [(4, "registers_differ")]
    assert problems(decoded("dsmr", mixed)) == [(4, "wrong_unit")]
    assert problems(decoded("dsmr", lost)) == [(10, "equipment_changed")]


def test_the_checksum_is_over_the_bytes_as_they_were_sent() -> None:
    """A wrong one is told at its line; ends of lines that were changed are put back if asked."""
    data = read("260301000000W", "10.000") + read("260301001500W", "10.100")
    turned = data.replace("10.100", "10.900")
    converted = data.replace("\r\n", "\n")

    assert problems(decoded("dsmr", turned, IMPORT)) == [(12, "wrong_crc")]
    assert problems(decoded("dsmr", converted, IMPORT)) == [(6, "wrong_crc"), (12, "wrong_crc")]
    for how in ("crlf", "ignore"):
        assert used(decoded("dsmr", converted, IMPORT | {"crc": how})) == used(
            decoded("dsmr", data, IMPORT)
        )
    assert problems(
        decoded("dsmr", converted.replace("10.1", "10.2"), IMPORT | {"crc": "crlf"})
    ) == [(12, "wrong_crc")]


def test_a_time_without_a_checksum_is_refused() -> None:
    """Meters that tell the time state a CRC: without one the telegram may be damaged."""
    data = read("260301000000W", "10.000", crc="") + read("260301001500W", "10.100", crc="")

    assert problems(decoded("dsmr", data, IMPORT)) == [(6, "no_crc"), (12, "no_crc")]
    assert len(readings(decoded("dsmr", data, IMPORT | {"crc": "ignore"}))) == 1


def test_a_telegram_without_a_time_is_refused_by_name() -> None:
    """Those of DSMR 2.2 and 3 have no time and no CRC: their reads cannot be placed."""
    data = telegram("0-0:96.1.1(30)", "1-0:1.8.1(00001.001*kWh)", crc="")

    found = decoded("dsmr", data, IMPORT)

    assert problems(found) == [(1, "no_time")]
    assert isinstance(found[0], Problem)
    assert "DSMR 2.2 and 3" in found[0].message


def test_a_capture_may_begin_and_end_within_a_telegram() -> None:
    """What is not whole is told, and the others are read."""
    data = read("260301000000W", "10.000") + read("260301001500W", "10.100")
    begin, end = data[20:90], data[:60]

    found = decoded("dsmr", begin + "\r\n" + data + "\r\n" + end, IMPORT)

    assert [code for _, code in problems(found)] == ["outside_telegram", "cut_off"]
    assert len(readings(found)) == 1


def test_a_telegram_that_never_ends_is_cut() -> None:
    """Memory is bounded, by telegram and by line; what comes after is read."""
    data = read("260301000000W", "10.000") + read("260301001500W", "10.100")
    endless = "/X\r\n" + "1-0:1.7.0(1*kW)\r\n" * LONGEST

    found = decoded("dsmr", endless + data, IMPORT)

    assert problems(found) == [(1, "too_long")]
    assert len(readings(found)) == 1
    with pytest.raises(Malformed, match=f"line 2 is longer than {LONGEST} bytes"):
        decoded("dsmr", "/X\r\n" + "1" * (LONGEST + 1), IMPORT)


def test_what_has_no_telegram_is_malformed() -> None:
    """No line begins as telegrams do."""
    for data in ("", "\r\n", "0-0:1.0.0(260301000000W)\r\n"):
        with pytest.raises(Malformed, match="no line begins"):
            decoded("dsmr", data, IMPORT)


def test_a_log_of_days_in_an_archive() -> None:
    """The slot between the last telegram of a file and the first of the next one is read."""
    days = {"1.txt": read("260301234500W", "10.000"), "2.txt": read("260302000000W", "10.500")}
    archive = zipped({name: text.encode() for name, text in days.items()})

    assert used(decoded("dsmr", archive, IMPORT)) == [
        (at("2026-03-01T22:45:00Z"), Decimal("0.500"))
    ]


def test_messages_name_the_file_of_an_archive() -> None:
    """Lines are those of the file."""
    archive = zipped(
        {
            "a.txt": read("260301000000W", "10.000").encode(),
            "b.txt": read("260301001500W", "9.000", crc="0").encode(),
        }
    )

    (found,) = decoded("dsmr", archive, IMPORT)

    assert isinstance(found, Problem)
    assert found.message.startswith("b.txt: the telegram does not have the CRC")


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"interval": "PT2H"}, "/interval"),
        ({"interval": "PT7M"}, "/interval"),
        ({"interval": "P1D"}, "/interval"),
        ({"tolerance": "PT15M"}, "/tolerance"),
        ({"offset": "Europe/Paris"}, "/offset"),
        ({"crc": "maybe"}, "/crc"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, str], pointer: str) -> None:
    """Each fault points at its option."""
    with pytest.raises(Invalid) as caught:
        decoded("dsmr", read("260301000000W", "1.000"), options)

    assert [fault.pointer for fault in caught.value.faults] == [pointer]

"""Real meter files come out as other libraries read them, where those read them rightly."""

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from energia.errors import Malformed
from energia.metering.decoders import MeterRead
from energia.time import utc_text
from energia_plugins.meter_dsmr.objects import Objects
from energia_plugins.meter_dsmr.telegrams import Telegram, telegrams
from tests.plugins.meter_files import DECODERS, decoded, problems, readings, runs_of, totals
from tests.shared import METERS

pytestmark = pytest.mark.shared_data

#: The NEM12 files that the README calls negative tests: the line that is refused and why, or
#: nothing where there is no harm in the file.
FAULTY: dict[str, list[tuple[int, str]]] = {
    "invalid/Example_NEM12_15min_200_30min_300.csv": [(3, "missing_column")],
    "invalid/Example_NEM12_15min_200_30min_400.csv": [(3, "bad_range")],
    "invalid/Example_NEM12_30min_200_15min_400.csv": [(3, "surplus_column")],
    "invalid/Example_NEM12_empty.csv": [],
    "invalid/Example_NEM12_incomplete_interval.csv": [(3, "missing_column")],
    "invalid/Example_NEM12_powercor.csv": [],
    "invalid/Example_NEM12_powercor_missing_fields.csv": [],
    # One row is broken over three lines, of which no library makes a day.
    "nem12/NEM12#Scenario10#ETSAMDP#NEMMCO.zip": [
        (27, "missing_column"),
        (28, "unknown_row"),
        (29, "unknown_row"),
    ],
}
QUALITIES = {"A": 1, "F": 3, "S": 4, "E": 5, "N": 0}


def expected(folder: str) -> dict[str, Any]:
    """Return what is expected of the files of a folder, by their names."""
    path = METERS / folder / "expected.json"
    files: dict[str, Any] = json.loads(path.read_text())["files"] if path.is_file() else {}
    return files


NEM12 = sorted(name for name, each in expected("nem12").items() if "nem13" not in name.lower())
NEM13 = sorted(name for name, each in expected("nem12").items() if "nem13" in name.lower())


@pytest.mark.parametrize("name", NEM12)
def test_nem12(name: str) -> None:
    """Counts, sums, times and qualities of each data stream are those of nemreader 0.9.2."""
    found = decoded("nem12", (METERS / "nem12" / name).read_bytes())

    assert problems(found) == FAULTY.get(name, [])
    library = expected("nem12")[name].get("nemreader")
    if name in FAULTY or library is None:
        return
    channels = {(each["nmi"], each["channel"]): each for each in library["channels"]}
    assert totals(found).keys() == channels.keys()
    for names, total in totals(found).items():
        channel = channels[names]
        assert total.readings == channel["readings"]
        assert float(total.sum) == pytest.approx(channel["sum"], abs=1e-6)
        assert total.first == market(channel["first"])
        assert total.last_end == market(channel["last_end"])
        qualities: Counter[int] = Counter()
        for method, count in channel["quality"].items():
            qualities[QUALITIES[method[0]]] += count
        assert total.qualities == qualities


def market(text: str) -> str:
    """Return a naive time of the library, which is ten hours ahead, in UTC."""
    return (datetime.fromisoformat(text) - timedelta(hours=10)).isoformat() + "Z"


@pytest.mark.parametrize("name", NEM13)
def test_nem13(name: str) -> None:
    """Each 250 row is two reads of a register; their quantities are those of the library."""
    data = (METERS / "nem12" / name).read_bytes()
    library = expected("nem12")[name]["nemreader"]

    reads = [one for one in runs_of("nem12", data) if isinstance(one, MeterRead)]
    found = decoded("nem12", data, {"accumulated": "quantity"})

    assert problems(found) == []
    assert len(reads) == 2 * library["readings_total"] == 2 * len(readings(found))
    sums = {(each["nmi"], each["channel"]): each["sum"] for each in library["channels"]}
    assert {names: float(total.sum) for names, total in totals(found).items()} == sums


def test_days_that_were_sent_again() -> None:
    """Each day of a file that holds all days twice says when it was made: the later one stands."""
    found = runs_of("nem12", (METERS / "nem12/invalid/Example_NEM12_powercor.csv").read_bytes())

    stamps = {getattr(one, "published", None) for one in found}
    assert len(found) == 4
    assert None not in stamps


#: Feeds that tell no type of their readings, and readings whose starts are no whole seconds.
TYPELESS = {"verdigris/ESPIIntervalBlock.xml": 15, "verdigris/PGEIntervalBlock.xml": 24}
FRACTIONS = {
    "vladistan/gas_containerized.xml": 3,
    "vladistan/ngma_gas_provider_2024-07-16.xml": 36,
}
UNITS = {"72": "Wh", "169": "therm"}
OF_GREEN_BUTTON = {0: 1, 7: 3, 8: 5, 17: 2}


@pytest.mark.parametrize("name", sorted(expected("greenbutton")))
def test_green_button(name: str) -> None:
    """Counts, exact sums, starts, lengths and qualities are those that are in the elements."""
    data = (METERS / "greenbutton" / name).read_bytes()
    raw = expected("greenbutton")[name].get("raw", {})
    if name.endswith("PGEUsageSummary.xml"):  # not well-formed
        with pytest.raises(Malformed, match="line 1: not well-formed"):
            decoded("green_button", data)
        return
    if name in FRACTIONS:
        assert [code for _, code in problems(decoded("green_button", data))] == (
            ["not_a_number"] * FRACTIONS[name]
        )
        return
    if name in TYPELESS:
        assert problems(decoded("green_button", data)) == [
            (line, "unknown_type") for line, _ in problems(decoded("green_button", data))
        ]
    options = {"unit": "Wh", "meter": "m"} if name in TYPELESS else {}

    found = decoded("green_button", data, options)

    assert problems(found) == []
    assert len(readings(found)) == raw["interval_readings"]
    of = readings(found)
    if not of:
        return
    power = int((raw["powerOfTenMultiplier"] or ["0"])[0])
    values = [one.value for one in of if one.value is not None]
    assert sum(values, Decimal(0)) == Decimal(raw["sum_raw_value"]).scaleb(power)
    assert {one.unit for one in of} <= set(UNITS.values())
    starts = [one.start for one in of if one.start is not None]
    assert (min(starts), max(starts)) == (raw["first_start"], raw["last_start"])
    assert len(set(starts)) == raw["distinct_starts"]
    lengths = Counter(str((one.end or 0) - (one.start or 0)) for one in of)
    assert lengths == raw["durations"]
    told = Counter(one.quality for one in of)
    for code, count in raw["quality_codes"].items():
        assert told[OF_GREEN_BUTTON[int(code)]] >= count


def test_mscons() -> None:
    """Each metering point has the quantities that pydifact's segments have, in exact sums."""
    files = expected("mscons")
    for name, each in files.items():
        found = decoded("mscons", (METERS / "mscons" / name).read_bytes())
        for point, walked in each["walk_with_pydifact"].items():
            (total,) = (one for names, one in totals(found).items() if names[0] == point)
            if "SAMPLE01" in name:  # an interval that ends before it starts is refused, and named
                assert problems(found) == [(5677, "wrong_interval")]
                assert total.readings == walked["readings"] - 1
                continue
            assert problems(found) == []
            assert total.readings == walked["readings"]
            assert total.sum == Decimal(walked["sum"])
            assert (total.first, total.last_end) == (
                offset(walked["first"][0]),
                offset(walked["last"][1]),
            )


def offset(text: str) -> str:
    """Return a time such as 202203312200+00 in UTC."""
    found = re.fullmatch(r"(\d{12})([+-]\d\d)", text)
    assert found is not None
    moment = datetime.strptime(f"{found[1]}{found[2]}00", "%Y%m%d%H%M%z")
    return utc_text(int(moment.timestamp()))


@pytest.mark.parametrize("name", sorted(expected("octopus")))
def test_octopus(name: str) -> None:
    """Values and order are those that aiooctopusenergy 0.4.5 read."""
    library = expected("octopus")[name]

    found = readings(decoded("octopus", (METERS / "octopus" / name).read_bytes()))

    values = [one.value for one in found if one.value is not None]
    assert len(found) == library["readings"]
    assert float(sum(values, Decimal(0))) == pytest.approx(library["sum"])
    instants = [int(datetime.fromisoformat(library[key]).timestamp()) for key in ("first", "last")]
    assert [found[0].start, found[-1].start] == instants


#: What registers are called by dsmr-parser, with ours and the codes of their tariffs.
OF_DSMR = {"import": "ELECTRICITY_{}USED_TARIFF_{}", "export": "ELECTRICITY_{}DELIVERED_TARIFF_{}"}
#: Telegrams of DSMR 2.2 and 3, and of meters that are not of it, have no time.
TIMELESS = ("_V2_2.txt", "_V3.txt", "v2_2_ok.txt", "v2_2_mangled.txt", "v3_ok.txt", "_V304.txt")
#: S in a winter month: the flag decides, where the library goes by the date and is an hour later.
SUMMER_IN_WINTER = ("TELEGRAM_ISKRA_IE.txt", "formattest.txt")


@pytest.mark.parametrize("name", sorted(expected("dsmr")))
def test_dsmr(name: str) -> None:
    """CRC, times and registers are those that dsmr-parser 1.11.2 read; one telegram has no slot."""
    data = (METERS / "dsmr" / name).read_bytes()
    found = decoded("dsmr", data)

    if name.endswith(TIMELESS):
        assert problems(found)[0] == (1, "no_time")
        return
    assert found == []
    (one,) = telegrams([data])
    assert isinstance(one, Telegram)
    objects, library = Objects.of(one), expected("dsmr")[name]
    if "error" in library:  # it could not read the file
        return
    winter = 0 if name.endswith(SUMMER_IN_WINTER) else 3600
    stated = library.get("objects", {})
    if "P1_MESSAGE_TIMESTAMP" in stated:
        assert utc_text(objects.sent(winter)) == zulu(stated["P1_MESSAGE_TIMESTAMP"]["value"])
    for quantity, digit in objects.quantities():
        pattern = OF_DSMR.get(quantity, "")
        tariffs = [stated.get(pattern.format("", tariff)) for tariff in "1234"]
        values = [Decimal(each["value"]) for each in tariffs if each]
        if values:
            assert objects.total(digit).value == sum(values)
    for word, code in objects.devices():
        device = next(
            each for each in library.get("mbus_devices", []) if str(each["channel"]) == word[-1]
        )
        reading = device.get("MBUS_METER_READING") or device["HOURLY_GAS_METER_READING"]
        total = objects.device(code)
        assert (total.value, total.unit) == (Decimal(reading["value"]), reading["unit"])
        assert utc_text(objects.entries[code].instant(winter)) == zulu(reading["datetime"])


def zulu(text: str) -> str:
    """Return a time with an offset in UTC."""
    return utc_text(int(datetime.fromisoformat(text).timestamp()))


@pytest.mark.parametrize(
    ("folder", "pattern", "format_"),
    [
        ("nem12", "**/*.*", "nem12"),
        ("greenbutton", "**/*.xml", "green_button"),
        ("mscons", "*.txt", "mscons"),
        ("octopus", "consumption*.json", "octopus"),
        ("dsmr", "*/*.txt", "dsmr"),
    ],
)
def test_files_are_recognized(folder: str, pattern: str, format_: str) -> None:
    """One decoder alone recognizes each file."""
    named = ("README.md", "expected.json")
    paths: list[Path] = [
        path for path in sorted((METERS / folder).glob(pattern)) if path.name not in named
    ]

    assert paths
    for path in paths:
        head = path.read_bytes()[:4096]
        sniffed = [
            name
            for name, decoder in DECODERS.items()
            if hasattr(decoder, "sniff") and decoder.sniff(head)
        ]
        if path.name == "PGEUsageSummary.xml":  # not well-formed: of no format
            continue
        assert (path.name, sniffed) == (path.name, [format_])

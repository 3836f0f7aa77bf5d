"""Times other libraries on files of meters; run by their own interpreter, it prints JSON.

What it prints is, by format and library, the seconds that reading the file takes, the best of
three, and how many values the library gives of it; or the error that it ends with.
"""

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def nemreader(path: Path) -> int:
    """Read NEM12 with nemreader."""
    read: Any = importlib.import_module("nemreader").read_nem_file(str(path))
    return sum(len(one) for channels in read.readings.values() for one in channels.values())


def aemo_mdff_reader(path: Path) -> int:
    """Read NEM12 with aemo-mdff-reader, in its fastest form."""
    columns: Any = importlib.import_module("aemo_mdff_reader.parser").parse_to_columns(str(path))
    return max(map(len, columns.values()))


def greenbutton_objects(path: Path) -> int:
    """Read Green Button with greenbutton-objects."""
    points: Any = importlib.import_module("greenbutton_objects.parse").parse_feed(str(path))
    return sum(1 for point in points for one in point.meterReadings for _ in one.intervalReadings)


def pydifact(path: Path) -> int:
    """Split EDIFACT into segments with pydifact, which knows no readings."""
    interchange: Any = importlib.import_module("pydifact.segmentcollection").Interchange
    segments = interchange.from_str(path.read_text(encoding="latin-1")).segments
    return sum(segment.tag == "QTY" for segment in segments)


def dsmr_parser(path: Path) -> int:
    """Read telegrams with dsmr-parser: two registers of energy in each direction."""
    parser: Any = importlib.import_module("dsmr_parser.parsers").TelegramParser
    specification: Any = importlib.import_module("dsmr_parser.telegram_specifications").V5
    reader, count = parser(specification), 0
    for telegram in path.read_bytes().decode("ascii").split("/")[1:]:
        found = reader.parse("/" + telegram)
        count += bool(found.ELECTRICITY_USED_TARIFF_1) + bool(found.ELECTRICITY_DELIVERED_TARIFF_1)
    return count


READERS: dict[str, tuple[Callable[[Path], int], ...]] = {
    "nem12": (nemreader, aemo_mdff_reader),
    "green_button": (greenbutton_objects,),
    "mscons": (pydifact,),
    "dsmr": (dsmr_parser,),
}


def measured(read: Callable[[Path], int], path: Path) -> dict[str, Any]:
    """Return the seconds and the values, or the error."""
    try:
        taken, values = [], 0
        for _ in range(3):
            before = time.process_time()
            values = read(path)
            taken.append(time.process_time() - before)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"seconds": min(taken), "values": values}


def main() -> None:
    """Measure all of them, each on the file that the decoder reads."""
    make: dict[str, Any] = importlib.import_module("meter_files").FILES
    count = int(sys.argv[1])
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for format_, readers in READERS.items():
            path = Path(folder) / format_
            path.write_bytes(make[format_](count))
            found[format_] = {read.__name__: measured(read, path) for read in readers}
    print(json.dumps(found))


if __name__ == "__main__":
    main()

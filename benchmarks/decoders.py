"""How many values a second each decoder of meter files reads, of generated files, on one processor.

    python -m benchmarks.decoders [--values 60000] [--alone]

Files are made in memory, as their formats have them, and read in pieces of 64 KiB as an upload is.
Figures are the best of three runs, in values a second, of NEM12 ten times as many: `read` is what
the decoder yields; `stored` is what the core makes of it on its way to the database (`Spool`), and
includes reading. Below is what other libraries take for the same files, in an environment of their
own, which is made when it is first asked for; `--alone` leaves them out. They read a file that is
on disk and keep all of it, most of them as floats; pydifact splits segments alone.
"""

import argparse
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from tempfile import TemporaryFile
from typing import Any, Final

import attrs

from benchmarks.meter_files import FILES
from benchmarks.peers import DECODERS
from energia.convert import TEXT
from energia.metering.decoders import Decoder, Defaults, HasMany
from energia.metering.files import Spool
from energia.metering.outcome import Problems
from energia.plugins import Plugins

_PIECE: Final = 64 * 1024
#: Files that are not of the format of their name, and the options that a file needs.
_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "csv_wide": {
        "timezone": "UTC",
        "start_column": "day",
        "date_format": "%Y-%m-%d",
        "wide": "00:00..23:45",
    }
}


@attrs.frozen
class Speed:
    """How fast one file is read: values, and values a second."""

    values: int
    read: float
    stored: float


def pieces(file: bytes) -> Iterator[bytes]:
    """Yield a file as an upload comes."""
    return (file[begin : begin + _PIECE] for begin in range(0, len(file), _PIECE))


def _seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(3):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def speed(decoder: Decoder, data: bytes, said: Mapping[str, str]) -> Speed:
    """Return how fast a decoder reads a file; it fails where the decoder refuses a value."""
    options: object = TEXT.structure(dict(said), decoder.options)

    def read() -> None:
        deque(decoder.decode(pieces(data), options), maxlen=0)

    def store() -> int:
        problems = Problems()
        with TemporaryFile() as file:
            spool = Spool(file)
            decode = decoder.decode_many if isinstance(decoder, HasMany) else decoder.decode
            spool.fill(decode(pieces(data), options), Defaults("m"), problems, 10**9)
            if problems.counts:
                raise SystemExit(f"{decoder.name}: {problems.listed()[0]}")
            return spool.received

    values = store()
    return Speed(values, values / _seconds(read), values / _seconds(store))


def main() -> None:
    """Measure all of them and print a table, and one of the other libraries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=60_000)
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()
    decoders = Plugins.installed().decoders()
    print(f"{'file':16}{'values':>10}{'read/s':>12}{'stored/s':>12}")
    for name, make in FILES.items():
        decoder = decoders["csv" if name in _OPTIONS else name]
        found = speed(decoder, make(arguments.values), _OPTIONS.get(name, {}))
        print(f"{name:16}{found.values:>10,}{found.read:>12,.0f}{found.stored:>12,.0f}")
    if not arguments.alone:
        others(arguments.values)


def others(count: int) -> None:
    """Print what other libraries do."""
    found = DECODERS.measured(str(count))
    if isinstance(found, str):
        print(f"\nother libraries: {found}")
        return
    print(f"\n{'file':16}{'values':>10}{'read/s':>12}  by")
    for format_, libraries in found.items():
        for library, one in libraries.items():
            print(f"{format_:16}{_told(one)}  {library.replace('_', '-')}")


def _told(one: Mapping[str, Any]) -> str:
    if "error" in one:
        return f"{one['error'][:60]:>22}"
    return f"{one['values']:>10,}{one['values'] / one['seconds']:>12,.0f}"


if __name__ == "__main__":
    main()

"""How many values a second each decoder of meter files reads, of generated files, on one processor.

    python -m benchmarks.decoders [--values 60000]

Files are made in memory, as their formats have them, and read in pieces of 64 KiB as an upload is.
Figures are the best of three runs, in values a second, of NEM12 ten times as many: `read` is what
the decoder yields; `stored` is what the core makes of it on its way to the database (`Spool`), and
includes reading.
"""

import argparse
import time
from collections import deque
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile

import attrs

from energia.convert import TEXT
from energia.metering.decoders import Decoder, Defaults
from energia.metering.files import Spool
from energia.metering.outcome import Problems
from energia.plugins import Plugins
from energia.time import utc

_PIECE = 64 * 1024
_START = 1_767_225_600  # 2026-01-01T00:00Z


def _texts(count: int) -> Iterator[tuple[int, int]]:
    """Yield when each quarter-hour starts, and its value in Wh."""
    return ((_START + index * 900, index * 7919 % 1500) for index in range(count))


def nem12(count: int) -> bytes:
    """Return days of five minutes, of one data stream, ten times as many values."""
    rows = ["100,NEM12,202603021200,MDP,RETAILER", "200,6305131234,E1,1,E1,,METER,KWH,5,"]
    for day in range(10 * count // 288):
        values = ",".join(f"{(day + index) * 7919 % 1500 / 1000:.3f}" for index in range(288))
        date = utc(_START + day * 86_400)
        rows.append(f"300,{date:%Y%m%d},{values},A,,,{date:%Y%m%d}235959,")
    return "\r\n".join([*rows, "900"]).encode()


def green_button(count: int) -> bytes:
    """Return blocks of a day, linked to their type."""
    begin = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">
<entry><link rel="self" href="ReadingType/1"/><content><e:ReadingType><e:uom>72</e:uom>
</e:ReadingType></content></entry>"""
    block = """<entry><link rel="self" href="UsagePoint/1/MeterReading/1/IntervalBlock/{}"/>
<link rel="related" href="ReadingType/1"/><content>
<e:IntervalBlock>{}</e:IntervalBlock></content></entry>"""
    reading = """
      <e:IntervalReading>
        <e:ReadingQuality><e:quality>17</e:quality></e:ReadingQuality>
        <e:timePeriod>
          <e:duration>900</e:duration>
          <e:start>{}</e:start>
        </e:timePeriod>
        <e:value>{}</e:value>
      </e:IntervalReading>"""
    readings = [reading.format(start, value) for start, value in _texts(count)]
    blocks = [block.format(day, "".join(readings[day : day + 96])) for day in range(0, count, 96)]
    return "\n".join([begin, *blocks, "</feed>"]).encode()


def mscons(count: int) -> bytes:
    """Return one message with all quantities."""

    def instant(seconds: int) -> str:
        return f"{utc(seconds):%Y%m%d%H%M}?+00:303"

    quantities = [
        f"QTY+220:{value / 1000}:KWH'DTM+163:{instant(start)}'DTM+164:{instant(start + 900)}'"
        for start, value in _texts(count)
    ]
    begin = "UNA:+.? 'UNB+UNOC:3+1:500+2:500+260302:0000+R1'UNH+1+MSCONS:D:04B:UN:2.4b'"
    end = f"UNT+{count * 3 + 4}+1'UNZ+1+R1'"
    return "".join([begin, "LOC+172+DE1'PIA+5+1-1?:1.29.0:SRW'", *quantities, end]).encode()


def octopus(count: int) -> bytes:
    """Return a page, the newest first."""
    results = [
        f'{{"consumption":{value / 1000},"interval_start":"{utc(start):%Y-%m-%dT%H:%M:%SZ}",'
        f'"interval_end":"{utc(start + 900):%Y-%m-%dT%H:%M:%SZ}"}}'
        for start, value in _texts(min(count, 100_000))
    ]
    return f'{{"count":{count},"next":null,"results":[{",".join(reversed(results))}]}}'.encode()


def csv(count: int) -> bytes:
    """Return two columns."""
    rows = [f"{utc(start):%Y-%m-%dT%H:%M:%SZ},{value / 1000}" for start, value in _texts(count)]
    return "\n".join(["start,value", *rows]).encode()


def ndjson(count: int) -> bytes:
    """Return a series of a day on each line."""
    values = [str(value / 1000) for _, value in _texts(count)]
    return "\n".join(
        f'{{"start":"{utc(_START + day * 900):%Y-%m-%dT%H:%M:%SZ}","interval":"PT15M",'
        f'"values":[{",".join(values[day : day + 96])}]}}'
        for day in range(0, count, 96)
    ).encode()


FILES: dict[str, Callable[[int], bytes]] = {
    **{"nem12": nem12, "green_button": green_button, "mscons": mscons},
    **{"octopus": octopus, "csv": csv, "ndjson": ndjson},
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


def speed(decoder: Decoder, data: bytes) -> Speed:
    """Return how fast a decoder reads a file; it fails where the decoder refuses a value."""
    options: object = TEXT.structure({}, decoder.options)

    def read() -> None:
        deque(decoder.decode(pieces(data), options), maxlen=0)

    def store() -> int:
        problems = Problems()
        with TemporaryFile() as file:
            spool = Spool(file)
            spool.fill(decoder.decode(pieces(data), options), Defaults("m"), problems, 10**9)
            if problems.counts:
                raise SystemExit(f"{decoder.name}: {problems.listed()[0]}")
            return spool.received

    values = store()
    return Speed(values, values / _seconds(read), values / _seconds(store))


def main() -> None:
    """Measure all of them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=60_000)
    count: int = parser.parse_args().values
    decoders = Plugins.installed().decoders()
    print(f"{'format':14}{'values':>10}{'read/s':>12}{'stored/s':>12}")
    for name, make in FILES.items():
        found = speed(decoders[name], make(count))
        print(f"{name:14}{found.values:>10,}{found.read:>12,.0f}{found.stored:>12,.0f}")


if __name__ == "__main__":
    main()

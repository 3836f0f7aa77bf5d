"""Files of meters as their formats have them, made in memory: for the decoders and their peers.

It needs nothing but Python, as it runs in the environments of other engines too.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

_START = 1_767_225_600  # 2026-01-01T00:00Z


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _texts(count: int) -> Iterator[tuple[int, int]]:
    """Yield when each quarter-hour starts, and its value in Wh."""
    return ((_START + index * 900, index * 7919 % 1500) for index in range(count))


def nem12(count: int) -> bytes:
    """Return days of five minutes, of one data stream, ten times as many values."""
    rows = ["100,NEM12,202603021200,MDP,RETAILER", "200,6305131234,E1,1,E1,,METER,KWH,5,"]
    for day in range(10 * count // 288):
        values = ",".join(f"{(day + index) * 7919 % 1500 / 1000:.3f}" for index in range(288))
        date = _utc(_START + day * 86_400)
        rows.append(f"300,{date:%Y%m%d},{values},A,,,{date:%Y%m%d}235959,")
    return "\r\n".join([*rows, "900"]).encode()


def green_button(count: int) -> bytes:
    """Return blocks of a day, linked to their type, their meter reading and usage point."""
    begin = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">
<entry><link rel="self" href="UsagePoint/1"/><link rel="related" href="UsagePoint/1/MeterReading"/>
<content><e:UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>
</content></entry>
<entry><link rel="self" href="UsagePoint/1/MeterReading/1"/>
<link rel="up" href="UsagePoint/1/MeterReading"/><link rel="related" href="ReadingType/1"/>
<link rel="related" href="UsagePoint/1/MeterReading/1/IntervalBlock"/>
<content><e:MeterReading/></content></entry>
<entry><link rel="self" href="ReadingType/1"/><content><e:ReadingType><e:uom>72</e:uom>
</e:ReadingType></content></entry>"""
    block = """<entry><link rel="self" href="UsagePoint/1/MeterReading/1/IntervalBlock/{}"/>
<link rel="up" href="UsagePoint/1/MeterReading/1/IntervalBlock"/><content><e:IntervalBlock>
<e:interval><e:duration>86400</e:duration><e:start>{}</e:start></e:interval>{}</e:IntervalBlock>
</content></entry>"""
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
    blocks = [
        block.format(day, _START + day * 900, "".join(readings[day : day + 96]))
        for day in range(0, count, 96)
    ]
    return "\n".join([begin, *blocks, "</feed>"]).encode()


def mscons(count: int) -> bytes:
    """Return one message with all quantities."""

    def instant(seconds: int) -> str:
        return f"{_utc(seconds):%Y%m%d%H%M}?+00:303"

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
        f'{{"consumption":{value / 1000},"interval_start":"{_utc(start):%Y-%m-%dT%H:%M:%SZ}",'
        f'"interval_end":"{_utc(start + 900):%Y-%m-%dT%H:%M:%SZ}"}}'
        for start, value in _texts(min(count, 100_000))
    ]
    return f'{{"count":{count},"next":null,"results":[{",".join(reversed(results))}]}}'.encode()


def _crc(telegram: bytes) -> int:
    crc = 0
    for byte in telegram:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def dsmr(count: int) -> bytes:
    """Return a tenth as many telegrams, one each quarter-hour of winter, with two registers."""
    telegrams, register = [], 100_000_000
    for start, value in _texts(count // 10):
        register += value
        kwh = f"{register // 1000:06}.{register % 1000:03}"
        body = (
            "/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n"
            f"0-0:1.0.0({_utc(start + 3600):%y%m%d%H%M%S}W)\r\n0-0:96.1.1(4530303031)\r\n"
            f"1-0:1.8.1({kwh}*kWh)\r\n1-0:1.8.2(000050.000*kWh)\r\n"
            f"1-0:2.8.1({kwh}*kWh)\r\n1-0:2.8.2(000000.000*kWh)\r\n"
            "0-0:96.14.0(0002)\r\n1-0:1.7.0(00.193*kW)\r\n1-0:2.7.0(00.000*kW)\r\n!"
        ).encode()
        telegrams.append(body + b"%04X\r\n" % _crc(body))
    return b"".join(telegrams)


def home_assistant(count: int) -> bytes:
    """Return rows of hours, of one statistic that has a sum."""
    rows, total = ["statistic_id,unit_of_measurement,start_ts,state,sum"], 0
    for index, (_, value) in enumerate(_texts(count)):
        total += value
        start, wh = _START + index * 3600, total / 1000
        rows.append(f"sensor.meter,kWh,{start}.0,{wh:.3f},{wh:.3f}")
    return "\n".join(rows).encode()


def csv(count: int) -> bytes:
    """Return two columns."""
    rows = [f"{_utc(start):%Y-%m-%dT%H:%M:%SZ},{value / 1000}" for start, value in _texts(count)]
    return "\n".join(["start,value", *rows]).encode()


def csv_wide(count: int) -> bytes:
    """Return a row for each day, with a column for each quarter-hour."""
    times = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(0, 1440, 15)]
    values = [f"{value / 1000}" for _, value in _texts(count)]
    rows = [
        ",".join([f"{_utc(_START + day * 900):%Y-%m-%d}", *values[day : day + 96]])
        for day in range(0, count - count % 96, 96)
    ]
    return "\n".join([",".join(["day", *times]), *rows]).encode()


def ndjson(count: int) -> bytes:
    """Return a series of a day on each line."""
    values = [str(value / 1000) for _, value in _texts(count)]
    return "\n".join(
        f'{{"start":"{_utc(_START + day * 900):%Y-%m-%dT%H:%M:%SZ}","interval":"PT15M",'
        f'"values":[{",".join(values[day : day + 96])}]}}'
        for day in range(0, count, 96)
    ).encode()


#: The files by name, each with the number of values that it is asked for.
FILES: dict[str, Callable[[int], bytes]] = {
    **{"nem12": nem12, "green_button": green_button, "mscons": mscons, "dsmr": dsmr},
    **{"octopus": octopus, "home_assistant": home_assistant},
    **{"csv": csv, "csv_wide": csv_wide, "ndjson": ndjson},
}

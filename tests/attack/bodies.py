"""What attacks send: small documents that ask for much."""

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

#: 85 years by quarter-hours: within `limits.slots`.
SPAN: Final = ("1941-01-01", "2026-01-01")
SITE: Final = {"name": "Attack", "timezone": "UTC", "country": "GB", "currency": "GBP"}
_IMPORT: Final = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
METER: Final = {
    "site": "attack",
    "channels": [{**_IMPORT, "interval": "PT15M", "kind": "interval"}],
}
FLAT: Final = {"kind": "energy.flat", "rate": "0.25"}
#: Four readings: one at either end of the years, and two between.
READINGS: Final = {
    "readings": [
        {"meter": "attack", "start": f"{day}T00:00:00Z", "value": 1}
        for day in (SPAN[0], "1970-01-01", "2000-01-01", "2025-12-31")
    ]
}
#: Readings of consecutive slots, but for the values.
SERIES: Final = {"meter": "attack", "start": "2015-01-01T00:00:00Z", "interval": "PT15M"}


def document(value: object) -> bytes:
    """Return JSON."""
    return json.dumps(value).encode()


def tariff(charges: Iterable[Mapping[str, Any]], name: str = "Attack") -> dict[str, Any]:
    """Return a tariff that was always valid."""
    version = {"valid_from": "1900-01-01", "charges": list(charges)}
    return {"name": name, "currency": "GBP", "timezone": "UTC", "versions": [version]}


def flats(count: int) -> dict[str, Any]:
    """Return a tariff of so many flat charges."""
    return tariff({**FLAT, "code": f"f{number}"} for number in range(count))


def doubling(times: int) -> dict[str, Any]:
    """Return a tariff of which each charge makes as many lines as there are before it."""
    percents = [
        {"kind": "percent", "code": f"p{number}", "percent": "1", "form": "line_each"}
        for number in range(times)
    ]
    return tariff([FLAT, *percents])


def striped(number: int) -> dict[str, Any]:
    """Return a tariff whose period changes every half-hour, unlike any other's."""
    halves = [f"{half // 2:02}:{half % 2 * 30:02}" for half in range(48)] + ["24:00"]
    rules = [
        {"period": f"p{number}-{half % 3}", "from": halves[half], "to": halves[half + 1]}
        for half in range(0, 48)
    ]
    rates = {f"p{number}-{period}": "0.1" for period in range(3)} | {"rest": "0.2"}
    schedule = {"default": "rest", "rules": rules}
    return tariff([{"kind": "energy.time_of_use", "schedule": schedule, "rates": rates}])


def usage(hours: int) -> dict[str, Any]:
    """Return readings that come with a request: 1 kWh in each hour from 2015 on."""
    channel = {"start": "2015-01-01T00:00:00Z", "values": [1] * hours}
    return {"timezone": "UTC", "interval": "PT1H", "channels": {"import": channel}}


def prices(count: int, interval: str) -> bytes:
    """Return a cost of one hour of usage, with so many prices."""
    values = ",".join(["0"] * count)
    body = {
        "tariff": tariff([{"kind": "energy.dynamic", "series": "spot"}]),
        "usage": usage(1),
        "prices": {"spot": {"start": "2015-01-01T00:00:00Z", "interval": interval, "values": []}},
    }
    return document(body).replace(b'"values": []}}}', f'"values": [{values}]}}}}}}'.encode())


def pricing(charges: Mapping[str, Any], **more: object) -> bytes:
    """Return a cost of the years of the meter that has four readings."""
    window = {"start": SPAN[0], "end": SPAN[1]}
    return document({"tariff": charges, "meter": "attack", **window, **more})


def unknown_keys(size: int) -> bytes:
    """Return an object of about *size* bytes with nothing but keys that nobody knows."""
    return b"{" + b",".join(b'"%07d":0' % number for number in range(size // 12)) + b"}"


def faulty(size: int, ratio: int = 190) -> bytes:
    """Return gzip that inflates to *size* bytes of faulty readings, just within the ratio.

    The first part is stored as it is, which makes the whole as large as the ratio asks for.
    """
    text = b'{"readings":[' + b"[]," * (size // 3) + b"[]]}"
    plain = size // ratio - len(gzip.compress(text, 9))
    return gzip.compress(text[:plain], 0) + gzip.compress(text[plain:], 9)


def archive(size: int) -> bytes:
    """Return gzip that inflates to *size* bytes of a meter file, a thousandfold."""
    line = b'{"meter": "attack", "start": "2020-01-01T00:00:00Z", "value": 1}\n'
    return gzip.compress(line * (size // len(line)), 9)

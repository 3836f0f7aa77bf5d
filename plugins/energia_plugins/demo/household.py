"""The demo's data: a site, a meter, a year of readings and three tariffs, and how it is stored."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec

from energia import Core, Reading
from energia.billing.guards import put_tariff
from energia.metering import registry
from energia.metering.imports import Intake
from energia.metering.models import NewChannel, NewMeter, NewSite
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.time import instant_of

if TYPE_CHECKING:
    from energia import Tenant
    from energia.plugins import Plugins
    from energia.settings import Settings
    from energia.time import Clock


#: How many readings the year has.
HOURS: Final = 8760
#: The instants between which it is, in seconds since 1970-01-01T00:00Z.
START: Final = 1_609_459_200
END: Final = 1_640_995_200

SITE_ID: Final = "demo-home"
METER_ID: Final = "demo-meter"
SITE: Final = NewSite(
    name="A home in Britain", timezone="Europe/London", country="GB", currency="GBP"
)
METER: Final = NewMeter(
    site=SITE_ID,
    name="Electricity",
    channels=(
        NewChannel(
            id="import",
            quantity="active_energy",
            direction="import",
            unit="kWh",
            interval="PT1H",
        ),
    ),
)

_DATA: Final = resources.files(__package__)
_CHUNK: Final = 8192


def chunks() -> Iterator[bytes]:
    """Yield the CSV file of the year, inflated."""
    with _DATA.joinpath("household_2021.csv.gz").open("rb") as packed, gzip.open(packed) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


class HouseholdFile:
    """Decodes the household's file: `start,value`, starts with their offset, kWh."""

    name: str = "demo"
    options: type = type(None)

    def __init__(self, advance: Callable[[], object] = lambda: None) -> None:
        """Decode, and call *advance* for each reading."""
        self._advance = advance

    def decode(self, chunks: Iterable[bytes], options: object) -> Iterator[Reading]:
        """Yield the readings."""
        lines = b"".join(chunks).decode().splitlines()
        for number, line in enumerate(lines[1:], start=2):
            start, value = line.split(",")
            instant = instant_of(datetime.fromisoformat(start))
            self._advance()
            yield Reading(number, Decimal(value), instant, meter=METER_ID, unit="kWh")


def household_tariffs() -> list[Any]:
    """Return the documents of the tariffs, as the API takes them."""
    folder = _DATA.joinpath("tariffs")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [msgspec.json.decode(file.read_bytes()) for file in files]


async def load(
    tenant: "Tenant",
    clock: "Clock",
    settings: "Settings",
    advance: Callable[[], object] = lambda: None,
) -> None:
    """Store the site, the meter and the year; what is there already stays as it is.

    *advance* is called for each reading.
    """
    await registry.put_site(tenant, SITE_ID, SITE)
    await registry.put_meter(tenant, METER_ID, METER, clock.now())
    intake = Intake.of(settings, clock, tenant)
    await intake.file(chunks(), HouseholdFile(advance), None)


async def load_tariffs(tenant: "Tenant", plugins: "Plugins") -> list[Tariff]:
    """Store the tariffs, and return them."""
    converter = tariff_converter(plugins.charges())
    tariffs = [converter.structure(document, Tariff) for document in household_tariffs()]
    for tariff in tariffs:
        await put_tariff(tenant, converter, tariff)
    return tariffs


@attrs.frozen
class DemoSeed:
    """Fills the database of a preview with the household, its year and the tariffs."""

    name: str = "demo"

    async def sow(self, core: Core) -> None:
        """Store it; the tariffs need the plugins with their charges."""
        tenant = core.pool.tenant()
        await load(tenant, core.clock, core.settings)
        await load_tariffs(tenant, core.plugins)

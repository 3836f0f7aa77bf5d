"""A complete plugin, typed against the public names: mypy checks it, nothing runs it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import ClassVar, Literal

import attrs
import click
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Counter
from prometheus_client.registry import Collector

from energia import (
    AcrossVersions,
    Authenticator,
    BaseCharge,
    BaseMeasure,
    BillIssued,
    BillSoFar,
    Caller,
    Charge,
    Core,
    Decoder,
    Energy,
    Examples,
    Imported,
    ImportOptions,
    Invalid,
    Line,
    Measure,
    Measured,
    Mergeable,
    Probe,
    Problem,
    Reading,
    ReadingsRejected,
    ReadingsStored,
    Routes,
    Run,
    Schedule,
    SecretStr,
    Seed,
    Slots,
    TariffImporter,
    Tracer,
    hookimpl,
)
from tests.typing.feeds import Feeding
from tests.typing.sources import Measuring
from tests.typing.tasks import Working
from tests.typing.tracer import Printed

api_version = 1
routes = Routes()
issued = Counter("acme_issued", "Bills that were issued.", ["currency"], registry=None)
stored = Counter("acme_stored", "Readings that were stored.", registry=None)
refused = Counter("acme_refused", "Readings that were refused.", registry=None)


@attrs.frozen
class Levy(BaseCharge):
    """A price of every kilowatt-hour."""

    kind: ClassVar[str] = "acme.levy"
    rate: Decimal = Decimal(0)

    def __attrs_post_init__(self) -> None:
        """Refuse a negative price."""
        if self.rate < 0:
            raise Invalid("the rate is negative")

    def measures(self) -> dict[str, Measure]:
        """Ask for the energy."""
        return {"energy": Energy(self.channel)}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge it."""
        yield self.metered(measured["energy"]["total"], self.rate)


@attrs.frozen
class Evening(BaseMeasure):
    """The energy of the evening, which grows with the bill."""

    schedule: Schedule

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return ("import",)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Sum it."""
        part = slots.portion("import")
        return slots.calendar(self.schedule, "import").sums(part.values, part.largest)

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the sum of both windows."""
        return {name: earlier.get(name, 0) + later.get(name, 0) for name in {*earlier, *later}}


@attrs.frozen
class EveningLevy(BaseCharge):
    """A price of the evening."""

    kind: ClassVar[str] = "acme.evening"
    examples: ClassVar[Examples] = ({"kind": "acme.evening", "schedule": {"default": "day"}},)
    remeasures: ClassVar[bool] = False

    schedule: Schedule
    across_versions: AcrossVersions = "last"

    def measures(self) -> dict[str, Measure]:
        """Ask for the evening."""
        grows: Mergeable = Evening(self.schedule)
        return {"evening": grows}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge each of its periods alike."""
        yield self.metered(sum(measured["evening"].values()), Decimal("0.1"))


@attrs.frozen
class TwoSites:
    """Fills the database of a preview."""

    name: str = "two-sites"

    async def sow(self, core: Core) -> None:
        """Fill it."""
        await core.pool.tenant().execute("select 1")


@attrs.frozen
class Options:
    """How a file is read."""

    unit: Literal["kWh", "Wh"] = "kWh"


@attrs.frozen
class AcmeDecoder:
    """Reads one reading from each line."""

    name: str = "acme"
    options: type[Options] = Options

    def sniff(self, head: bytes) -> bool:
        """Tell a file by its first letter."""
        return head.startswith(b"#")

    def decode(
        self, chunks: Iterable[bytes], options: Options
    ) -> Iterator[Reading | Run | Problem]:
        """Read a file."""
        yield Run(1, 0, 900, [Decimal(1), None], unit=options.unit, published=900)
        for line, text in enumerate(b"".join(chunks).splitlines(), start=1):
            start, _, value = text.decode().partition(" ")
            if value:
                yield Reading(line, Decimal(value), start=int(start), unit=options.unit)
            else:
                yield Problem(line, "no_value", "the line has no value")


@attrs.frozen
class AcmeImporter:
    """Reads a price."""

    format: str = "acme"
    description: str = "A price of every kilowatt-hour, as a number."

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Read a document."""
        charge = {"kind": "acme.levy", "rate": str(document)}
        tariff = {"name": "Acme", "timezone": options.timezone, "versions": [{"charges": [charge]}]}
        return Imported(tariff)


@attrs.frozen
class BrokerProbe:
    """Watches the broker."""

    name: str = "broker"
    criticality: Literal["critical", "degraded"] = "degraded"

    async def check(self, _: Core) -> None:
        """Raise if the broker is away."""


@attrs.frozen
class Partners:
    """Recognises partners by the beginning of their tokens."""

    name: str = "partners"

    async def authenticate(self, bearer: str, _: Core) -> Caller | None:
        """Return the partner whose token it is."""
        return Caller(f"partner:{bearer[8:]}", "a partner") if bearer[:8] == "partner-" else None


@attrs.frozen
class Greeting:
    """What the route answers."""

    text: str


@routes.get("/v1/acme/{name}")
async def greet(name: str, core: Core, polite: bool = False) -> Greeting:
    """Greet somebody."""
    return Greeting(f"{'dear ' if polite else ''}{name}, {core.settings.profile}")


@click.command()
def acme() -> None:
    """Do what the plugin does."""


@web.middleware
async def no_index(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep search engines away."""
    response = await handler(request)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@attrs.frozen
class Settings:
    """The settings: `[plugins.acme]`."""

    url: str = "mqtt://localhost"
    password: SecretStr = SecretStr("")


@attrs.frozen
class Acme(Feeding, Measuring, Working):
    """The plugin; its entry point names this class."""

    settings: Settings

    @hookimpl
    def register_authenticators(self) -> list[Authenticator]:
        """Offer what recognises partners."""
        return [Partners()]

    @hookimpl
    def register_tracers(self) -> list[Tracer]:
        """Offer what prints spans."""
        return [Printed()]

    @hookimpl
    def register_charges(self) -> list[type[Charge]]:
        """Offer the levy."""
        return [Levy, EveningLevy]

    @hookimpl
    def register_decoders(self) -> list[Decoder]:
        """Offer the format."""
        return [AcmeDecoder()]

    @hookimpl
    def register_tariff_importers(self) -> list[TariffImporter]:
        """Offer the importer."""
        return [AcmeImporter()]

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer the probe."""
        return [BrokerProbe()]

    @hookimpl
    def register_collectors(self) -> list[Collector]:
        """Offer the counter."""
        return [stored, refused, issued]

    @hookimpl
    def register_routes(self) -> Routes:
        """Offer the route."""
        return routes

    @hookimpl
    def register_middlewares(self) -> list[Middleware]:
        """Offer the middleware."""
        return [no_index]

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the tables: those of another package, for want of one."""
        return [files("energia.db") / "migrations"]

    @hookimpl
    def register_seeds(self) -> list[Seed]:
        """Offer a seed."""
        return [TwoSites()]

    @hookimpl
    def register_commands(self) -> list[click.Command]:
        """Offer the command."""
        return [acme]

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Work while the service runs."""
        task = asyncio.create_task(asyncio.sleep(core.settings.health.period))
        yield
        task.cancel()

    @hookimpl
    def readings_stored(self, event: ReadingsStored) -> None:
        """Count what was stored."""
        stored.inc(event.counts.created)

    @hookimpl
    def readings_rejected(self, event: ReadingsRejected) -> None:
        """Count what was refused."""
        refused.inc(sum(event.reasons.values()))

    @hookimpl
    def bill_issued(self, event: BillIssued) -> None:
        """Count what was issued."""
        issued.labels(event.currency).inc()

"""What a service works off beside requests: the tasks of the core and those of the plugins.

What does the jobs is imported with the first of its kind: billing takes more than all the rest.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

import attrs

from energia.assembly import late
from energia.audit.retention import AuditRetention
from energia.billing.retention import ReadingsRetention
from energia.core import Core
from energia.jobs.kinds import Helped, HelpTask, JobRetention, JobTask, Kind, Running
from energia.jobs.tasks import Task
from energia.jobs.worker import Worker
from energia.metering.archive import ReadingsArchive
from energia.metering.retention import ImportRetention
from energia.plugins import Plugins
from energia.webhooks.delivery import WebhookDelivery
from energia.webhooks.watch import WebhookExpiry, watches

K_co = TypeVar("K_co", bound=Kind, covariant=True)


@attrs.frozen
class LateKind(Generic[K_co]):
    """A kind of job that is imported, in a thread, when one is begun.

    Attributes:
        name: What jobs of this kind are called.
        load: Imports the kind, and what plugins offer for it.

    """

    name: str
    load: Callable[[Plugins], K_co]

    async def run(self, job: Running) -> object:
        """Do it."""
        return await (await late(self.load, job.core.plugins)).run(job)


@attrs.frozen
class LateHelped(LateKind[Helped]):
    """A kind whose jobs several workers do at once."""

    async def help(self, job: Running) -> None:
        """Do part of a job that another worker has begun."""
        await (await late(self.load, job.core.plugins)).help(job)


def _run(plugins: Plugins) -> Helped:
    from energia.billing.run import BillRun

    plugins.charges()
    return BillRun()


def _repricing(plugins: Plugins) -> Kind:
    from energia.billing.repricing import BillRepricing

    plugins.charges()
    return BillRepricing()


def _import(plugins: Plugins) -> Kind:
    from energia.web.endpoints.imports import FileImport

    plugins.decoders()
    return FileImport()


def _export(_: Plugins) -> Kind:
    from energia.web.export_files import ReadingsExport

    return ReadingsExport()


#: What jobs there are.
KINDS: Final[tuple[LateKind[Kind], ...]] = (
    LateHelped("bills.run", _run),
    LateKind("bills.reprice", _repricing),
    LateKind("readings.import", _import),
    LateKind("readings.export", _export),
)


def tasks_of(core: Core) -> list[Task]:
    """Return all that a worker does."""
    own: list[Task] = [
        *(JobTask(KINDS), HelpTask(KINDS), JobRetention(), AuditRetention()),
        *(ReadingsRetention(), ImportRetention(), ReadingsArchive()),
        *(WebhookDelivery(), WebhookExpiry()),
        *_keepers(core),
    ]
    # In a preview nothing is looked for, and nothing that waits is sent.
    watching = watches(core) if core.settings.profile != "preview" else []
    return [*own, *watching, *core.plugins.tasks()]


def _keepers(core: Core) -> list[Task]:
    """Return what asks the price feeds; few services have any."""
    if not core.plugins.price_feeds():
        return []
    from energia.pricing.market.keeper import keepers

    return [*keepers(core)]


@asynccontextmanager
async def working_off(core: Core) -> AsyncIterator[None]:
    """Do what is due while the service runs; with `jobs.concurrency = 0` others do."""
    concurrency = core.settings.jobs.concurrency
    work = {"jobs": Worker(core, tasks_of(core), concurrency).work} if concurrency else {}
    async with core.background.running(work):
        yield

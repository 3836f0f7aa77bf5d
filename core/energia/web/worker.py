"""What a service works off beside requests: the tasks of the core and those of the plugins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from energia.audit.retention import AuditRetention
from energia.billing.repricing import BillRepricing
from energia.billing.retention import ReadingsRetention
from energia.billing.run import BillRun
from energia.core import Core
from energia.jobs.kinds import HelpTask, JobRetention, JobTask, Kind
from energia.jobs.tasks import Task
from energia.jobs.worker import Worker
from energia.metering.archive import ReadingsArchive
from energia.metering.retention import ImportRetention
from energia.pricing.market.keeper import keepers
from energia.web.endpoints.imports import FileImport
from energia.web.export_files import ReadingsExport
from energia.webhooks.delivery import WebhookDelivery
from energia.webhooks.watch import WebhookExpiry, watches

#: What jobs there are.
KINDS: Final[tuple[Kind, ...]] = (BillRun(), BillRepricing(), FileImport(), ReadingsExport())


def tasks_of(core: Core) -> list[Task]:
    """Return all that a worker does."""
    own: list[Task] = [
        *(JobTask(KINDS), HelpTask(KINDS), JobRetention(), AuditRetention()),
        *(ReadingsRetention(), ImportRetention(), ReadingsArchive()),
        *(WebhookDelivery(), WebhookExpiry()),
        *keepers(core),
    ]
    # In a preview nothing is looked for, and nothing that waits is sent.
    watching = watches(core) if core.settings.profile != "preview" else []
    return [*own, *watching, *core.plugins.tasks()]


@asynccontextmanager
async def working_off(core: Core) -> AsyncIterator[None]:
    """Do what is due while the service runs; with `jobs.concurrency = 0` others do."""
    concurrency = core.settings.jobs.concurrency
    work = {"jobs": Worker(core, tasks_of(core), concurrency).work} if concurrency else {}
    async with core.background.running(work):
        yield

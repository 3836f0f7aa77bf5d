"""Deliveries: each is a task of the engine, tried for three days, and then given up.

A try and what follows from it are noted in one transaction: the delivery has ended, or its next try
waits. A worker that dies between an answer and that note tries again: at least once, never less.

A receiver that takes nothing is left alone for a while, whatever else is to be sent to it, so that
one that is dead holds up nobody: what is due meanwhile is put off, which is no try.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import attrs
import structlog

from energia.convert import dumps
from energia.db.tenant import Tenant
from energia.jobs.tasks import Retry
from energia.outgoing.client import Answer, NoAnswer
from energia.time import DAY, instant_of
from energia.webhooks.models import Status, Try
from energia.webhooks.signing import signed
from energia.webhooks.store import DELIVER, SQL, DeliveryKey

if TYPE_CHECKING:
    from energia.core import Core

#: So many bytes of an answer are read: what a receiver says beyond its status is of no use.
_READ: Final = 1024
#: For so many seconds a receiver is left alone at most, unless it asks for more. It begins with the
#: first pause of a delivery, and is doubled with each failure.
_LONGEST_QUIET: Final = 600.0
#: The longest that a receiver may ask to be left alone.
_LONGEST: Final = float(DAY)
_DOUBLINGS: Final = 10
#: What is not of the receiver, such as a database that is away, ends no delivery.
_FOR_EVER: Final = Retry(tries=None)
log = structlog.get_logger(__name__)


@attrs.frozen
class _Due:
    """A delivery to try, in the order of the columns of `delivery_due`."""

    url: str
    secret: str
    former_secret: str | None
    is_active: bool
    receiver_failures: int
    quiet_until: datetime | None
    type: str
    body: str
    tries: int
    failures: int
    begun_at: datetime

    @property
    def keys(self) -> list[str]:
        """The secrets that are in force, the newest first."""
        return [key for key in (self.secret, self.former_secret) if key is not None]


@attrs.frozen
class WebhookDelivery:
    """Sends one event to one receiver, once."""

    name: str = DELIVER
    retry: Retry = _FOR_EVER

    async def run(self, core: "Core", arguments: Mapping[str, Any], /) -> None:
        """Try a delivery, unless it has ended or was tried meanwhile."""
        key = DeliveryKey(**arguments)
        tenant = core.pool.tenant(key.organization)
        for due in await tenant.fetch(_Due, SQL["delivery_due"], attrs.asdict(key)):
            await _Attempt(core, tenant, key, due).make()


@attrs.frozen
class _Attempt:
    """A delivery whose turn has come."""

    core: "Core"
    tenant: Tenant
    key: DeliveryKey
    due: _Due

    async def make(self) -> None:
        """Send it, put it off, or give it up."""
        now, due = self.core.clock.now(), self.due
        if refusal := self._refusal(now):
            await self._note(Try(now, None, refusal, 0.0), "given_up", None)
        elif due.quiet_until is not None and due.quiet_until > now:
            # Uneven, so that not all that waits comes at once.
            later = random.uniform(0, self._quiet(0))  # noqa: S311 - no secret
            await self._put_off(due.quiet_until + timedelta(seconds=later))
        else:
            await self._send(now)

    def _refusal(self, now: datetime) -> str | None:
        """Return why it is not sent at all."""
        if self.core.settings.profile == "preview":
            return "a preview tells nobody: its platform has copied what production has"
        if not self.due.is_active and self.due.type != "webhook.test":
            return "the webhook is switched off"
        if self._is_over(now):
            return "its receiver has taken nothing for too long"
        return None

    def _is_over(self, now: datetime) -> bool:
        """Tell whether it has waited for longer than all tries take, with a day to spare."""
        most = timedelta(seconds=1.1 * sum(self.core.settings.webhooks.pauses) + DAY)
        return now - self.due.begun_at > most

    async def _send(self, now: datetime) -> None:
        body = self.due.body.encode()
        headers = {
            "Content-Type": "application/json",
            **signed(self.due.keys, self.key.event, instant_of(now), body),
        }
        settings, answer, error = self.core.settings.webhooks, None, None
        async with self.core.outgoing.session(settings.timeout) as session:
            try:
                answer = await session.post(self.due.url, body, headers, limit=_READ)
            except NoAnswer as reason:
                error = reason.reason
        ended = self.core.clock.now()
        if answer is not None and not _is_taken(answer):
            error = f"answered {answer.status}"
        status = None if answer is None else answer.status
        made = Try(now, status, error, round((ended - now).total_seconds(), 3))
        if error is None:
            await self._taken(made, ended)
        else:
            await self._failed(made, answer, ended)

    async def _taken(self, made: Try, now: datetime) -> None:
        if self.due.receiver_failures:
            log.info("webhook_works", webhook=self.key.webhook)
        row = {"now": now}
        await self._note(made, "delivered", None, "webhook_answered", row)

    async def _failed(self, made: Try, answer: Answer | None, now: datetime) -> None:
        if not self.due.receiver_failures:
            log.warning("webhook_fails", webhook=self.key.webhook, reason=made.error)
        if answer is not None and answer.status == HTTPStatus.GONE:
            problem = f"its receiver answered {answer.status}: it wants nothing any more"
            await self._note(made, "given_up", None, "webhook_gone", {"problem": problem})
            return
        wanted = 0.0 if answer is None else min(answer.headers.retry_after(now), _LONGEST)
        quiet = max(self._quiet(self.due.receiver_failures), wanted)
        row = {"quiet": now + timedelta(seconds=quiet)}
        pauses = self.core.settings.webhooks.pauses
        if self.due.failures >= len(pauses):
            await self._note(made, "given_up", None, "webhook_failed", row)
            return
        pause = pauses[self.due.failures] * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
        due = now + timedelta(seconds=max(pause, wanted))
        await self._note(made, "waiting", due, "webhook_failed", row)

    async def _note(
        self,
        made: Try,
        status: Status,
        due: datetime | None,
        also: str | None = None,
        row: Mapping[str, object] | None = None,
    ) -> None:
        """Note what became of it, and let the next try wait: both or neither."""
        note = {
            **attrs.asdict(self.key),
            "status": status,
            "next": due,
            "tried": also is not None,
            "failed": made.error is not None,
            "outcome": dumps(made).decode(),
        }
        async with self.tenant.transaction() as queries:
            if also is not None:
                # First: whoever deletes a webhook holds it before its deliveries, too.
                await queries.execute(SQL[also], {**attrs.asdict(self.key), **(row or {})})
            if await queries.fetch(bool, SQL["delivery_tried"], note) and due is not None:
                later = attrs.evolve(self.key, tries=self.key.tries + 1)
                await later.defer(self.core.jobs, queries, due)

    def _quiet(self, failures: int) -> float:
        """Return for how long a receiver is left alone that has failed so often before."""
        first = next(iter(self.core.settings.webhooks.pauses), _LONGEST_QUIET)
        return min(first * 2.0 ** min(failures, _DOUBLINGS), _LONGEST_QUIET)

    async def _put_off(self, due: datetime) -> None:
        async with self.tenant.transaction() as queries:
            row = {**attrs.asdict(self.key), "next": due}
            if await queries.fetch(bool, SQL["delivery_put_off"], row):
                await self.key.defer(self.core.jobs, queries, due)


def _is_taken(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES

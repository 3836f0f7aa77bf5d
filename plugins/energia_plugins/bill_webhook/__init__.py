"""Sends every issued bill to a URL, at least once: `[plugins.bill-webhook]`.

The bills themselves are the queue: what is issued and has no delivery yet is taken up by the next
round, whatever crashed in between. The hook `bill_issued` only wakes that round.
"""

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Final, Literal
from urllib.parse import quote

import attrs
import structlog
from msgspec import Meta

from energia import (
    Answer,
    BillIssued,
    Core,
    Criticality,
    EnergiaError,
    NoAnswer,
    Probe,
    SecretStr,
    Session,
    Tenant,
    hookimpl,
)
from energia.db.organizations import keys
from energia.db.queries import load
from energia.settings import SECRET
from energia.time import instant_of
from energia_plugins.bill_webhook.metrics import Deliveries

EVENT: Final = "bill_issued"
SQL: Final = load(__package__)
#: So many bytes of an answer are read; what a receiver says beyond them is of no use.
_READ: Final = 1024
#: Longer than anything takes between a bill's `issued_at` and its commit.
_SLACK: Final = timedelta(days=1)

log = structlog.get_logger(__name__)


@attrs.frozen
class Settings:
    """Where bills are sent, and how stubbornly. Times are in seconds.

    Attributes:
        url: The receiver; without one, and in a preview, the plugin does nothing.
        secret: Signs what is sent; without one it is not signed.
        timeout: For how long one try may take.
        retry_first: The pause after the first failure; it doubles with each.
        retry_most: The longest pause.
        give_up: For how long a bill is tried.
        batch: How many are sent at once.
        poll: How often to look for bills whose event this process has missed.

    """

    # Where it leads to a chat or an automation, the URL is all that a sender has to know.
    url: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://", extra={"words": "a URL that begins with http:// or https://"}
            ),
        ]
        | None
    ) = attrs.field(default=None, repr=False, metadata=SECRET)
    secret: SecretStr = SecretStr("")
    timeout: Annotated[float, Meta(gt=0)] = 5.0
    retry_first: Annotated[float, Meta(gt=0)] = 1.0
    retry_most: Annotated[float, Meta(gt=0)] = 600.0
    give_up: Annotated[float, Meta(gt=0)] = 259_200.0
    batch: Annotated[int, Meta(ge=1, le=1000)] = 20
    poll: Annotated[float, Meta(gt=0)] = 30.0


@attrs.frozen
class Delivery:
    """A bill to send, and its try, in the order of the columns of `claim`."""

    tries: int
    made_at: datetime
    bill: str
    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    currency: str
    total: str
    corrects: str | None
    issued_at: datetime
    organization: str

    @property
    def id(self) -> str:
        """What tells it from others: ids of bills are those of their organization."""
        first = self.organization == "default"
        return self.bill if first else f"{quote(self.organization)}/{self.bill}"

    def body(self) -> bytes:
        """Return the JSON that is sent; the same at every try."""
        bill = attrs.asdict(self)
        del bill["tries"], bill["made_at"]
        return json.dumps({"event": EVENT, **bill}, default=_iso).encode()


@attrs.frozen
class Result:
    """How a try ended.

    Attributes:
        outcome: `gone` is not tried again.
        error: Why the receiver did not take it; None if it did.
        retry_after: For how many seconds the receiver wants to be left alone.

    """

    outcome: Literal["delivered", "retried", "gone"]
    error: str | None = None
    retry_after: float = 0.0


def signature(secret: str, time: int, body: bytes) -> str:
    """Return the value of `X-Energia-Signature`: HMAC-SHA256 over `<time>.<body>`.

    The *time*, in seconds since 1970, is signed too, so that a receiver can refuse old copies.
    """
    digest = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"


async def send(
    session: Session, url: str, secret: str, delivery: Delivery, now: datetime
) -> Result:
    """Send one bill; never raises for what the receiver or the network does."""
    body = delivery.body()
    headers = {
        "Content-Type": "application/json",
        "X-Energia-Event": EVENT,
        "X-Energia-Delivery": delivery.id,
    }
    if secret:
        headers["X-Energia-Signature"] = signature(secret, instant_of(now), body)
    try:
        return _result(await session.post(url, body, headers, limit=_READ), now)
    except NoAnswer as error:
        return Result("retried", error.reason)


def _result(answer: Answer, now: datetime) -> Result:
    if HTTPStatus(200) <= answer.status < HTTPStatus(300):
        return Result("delivered")
    error = f"answered {answer.status}"
    if answer.status == HTTPStatus.GONE:
        return Result("gone", error)
    return Result("retried", error, answer.headers.retry_after(now))


def _moment(moment: datetime | None) -> datetime | None:
    return moment


def _iso(value: object) -> str:
    assert isinstance(value, date)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


@attrs.frozen
class Backlog:
    """How many deliveries wait, and when the next one is due, as `waiting` gives them."""

    count: int
    next_at: datetime | None


class BillWebhook:
    """The plugin, which is also the probe of its receiver."""

    name = "bill-webhook"
    criticality: Criticality = "degraded"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wake = asyncio.Event()
        self._error: str | None = None
        self._deliveries = Deliveries()
        self._waiting = 0

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the table of deliveries."""
        return [files(__package__) / "migrations"]

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer whether the receiver takes bills."""
        return [self]

    @hookimpl
    def register_collectors(self) -> list[Deliveries]:
        """Offer what is measured of deliveries, if there are any."""
        return [] if self._settings.url is None else [self._deliveries]

    async def check(self, _: Core) -> None:
        """Raise if the last try was not taken."""
        if self._error is not None:
            raise RuntimeError(self._error)

    @hookimpl
    def bill_issued(self, event: BillIssued) -> None:
        """Begin a round."""
        self._wake.set()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Send bills while the service runs."""
        if self._settings.url is None or _ignored(core):
            yield
            return
        async with core.outgoing.session(self._settings.timeout) as session:
            work = {"bill-webhook": partial(self._work, core, session, self._settings.url)}
            async with core.background.running(work):
                yield

    async def _work(self, core: Core, session: Session, url: str) -> None:
        begun = set[int]()
        while not core.state.closing:
            # Before the round: a bill that is issued meanwhile begins another one.
            self._wake.clear()
            pause = self._settings.poll
            try:
                pause = await self._rounds(core, session, url, begun)
            except EnergiaError as error:
                self._note(f"database: {error.code}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _rounds(self, core: Core, session: Session, url: str, begun: set[int]) -> float:
        """Send what is due of each organization; return after how many seconds to look again."""
        pauses, self._waiting = [self._settings.poll], 0
        for key in await keys(core.pool):
            tenant = core.pool.tenant(key)
            if key not in begun:
                # An organization that is made later misses none: it began with the first one.
                (first,) = await core.pool.everywhere().fetch(_moment, SQL["first"])
                await tenant.execute(SQL["begin"], first or core.clock.now())
                begun.add(key)
            pauses.append(await self._round(core, tenant, session, url))
        self._deliveries.waiting = self._waiting
        return min(pauses)

    async def _round(self, core: Core, tenant: Tenant, session: Session, url: str) -> float:
        """Send what is due, and return after how many seconds to look again."""
        now = core.clock.now()
        after = now - timedelta(seconds=self._settings.give_up) - _SLACK
        await tenant.execute(SQL["find"], {"now": now, "after": after})
        # A try takes one time-out at most: the second leaves time to note its outcome.
        lease = now + timedelta(seconds=2 * self._settings.timeout)
        claim = {"now": now, "until": lease, "limit": self._settings.batch}
        due = await tenant.fetch(Delivery, SQL["claim"], claim)
        secret = self._settings.secret.get_secret_value()
        tries = (send(session, url, secret, delivery, now) for delivery in due)
        results = await asyncio.gather(*tries)
        for delivery, result in zip(due, results, strict=True):
            await self._record(tenant, delivery, result, core.clock.now())
        (backlog,) = await tenant.fetch(Backlog, SQL["waiting"])
        self._waiting += backlog.count
        wait = self._settings.poll
        if backlog.next_at is not None:
            wait = (backlog.next_at - core.clock.now()).total_seconds()
        return min(max(wait, 0.0), self._settings.poll)

    async def _record(
        self, tenant: Tenant, delivery: Delivery, result: Result, now: datetime
    ) -> None:
        if result.outcome == "delivered":
            self._note(None)
            self._deliveries.succeeded = now.timestamp()
            await tenant.execute(SQL["delivered"], {"bill": delivery.bill, "now": now})
            return
        old = (now - delivery.made_at).total_seconds() > self._settings.give_up
        given_up = old or result.outcome == "gone"
        self._note(result.error)
        failure = {
            "bill": delivery.bill,
            "next": now + timedelta(seconds=self._pause(delivery.tries, result.retry_after)),
            "failed": now if given_up else None,
            "error": result.error,
        }
        await tenant.execute(SQL["failed"], failure)

    def _pause(self, tries: int, wanted: float) -> float:
        """Return how long to wait: doubled with each try, jittered, as the receiver wants."""
        longest = self._settings.retry_most
        # The exponent is bounded, as a double overflows at 2^1024.
        pause = min(self._settings.retry_first * 2.0 ** min(tries - 1, 30), longest)
        return max(pause * random.uniform(0.5, 1.0), min(wanted, longest))

    def _note(self, error: str | None) -> None:
        """Log when it begins to fail, in another way, and when it works again: no flood."""
        if error == self._error:
            return
        self._error = error
        if error:
            log.warning("bill_webhook_fails", reason=error)
        else:
            log.info("bill_webhook_works")


def _ignored(core: Core) -> bool:
    """Return whether this is a preview: its platform has copied the settings of production."""
    preview = core.settings.profile == "preview"
    if preview:
        log.warning("bill_webhook_ignored", reason="a preview sends no bills")
    return preview

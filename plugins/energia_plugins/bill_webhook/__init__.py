"""Sends every issued bill to a URL, at least once: `[plugins.bill-webhook]`.

What is issued and has no delivery yet is taken up by the next round, whatever crashed in between:
each is a task of the engine. The hook `bill_issued` only begins a round at once.
"""

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote

import attrs
import structlog
from msgspec import Meta

from energia import (
    Answer,
    Core,
    Criticality,
    EnergiaError,
    NoAnswer,
    Probe,
    SecretStr,
    Session,
    Task,
    Tenant,
    hookimpl,
)
from energia.db.organizations import keys
from energia.db.queries import load
from energia.db.tenant import Queries
from energia.jobs.tasks import Retry
from energia.settings import SECRET
from energia.time import instant_of
from energia_plugins.bill_webhook.metrics import Deliveries

if TYPE_CHECKING:
    from energia import BillIssued

EVENT: Final = "bill_issued"
SQL: Final = load(__package__)
#: So many bytes of an answer are read; what a receiver says beyond them is of no use.
_READ: Final = 1024
#: Longer than anything takes between a bill's `issued_at` and its commit.
_SLACK: Final = timedelta(days=1)

#: What is not of the receiver, such as a database that is away, ends no delivery.
_FOR_EVER: Final = Retry(tries=None)
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
        batch: Of 0.1.0; how many are sent at once is said by `jobs.concurrency` now.
        poll: How often to look for bills of which nobody has told.

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
    """A bill to send, and its tries so far, in the order of the columns of `due`."""

    tries: int
    next_at: datetime
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
        del bill["tries"], bill["next_at"], bill["made_at"]
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


def _pair(bill: str, due: datetime) -> tuple[str, datetime]:
    return bill, due


@attrs.frozen
class Waiting:
    """How deliveries are doing, as `state` gives it."""

    count: int
    succeeded_at: datetime | None
    error: str | None


@attrs.frozen
class Round:
    """Takes up what was issued: a task for each bill, with the row of its delivery."""

    _settings: Settings
    name: str = "bill-webhook-round"

    async def run(self, core: Core, _: Mapping[str, Any], /) -> None:
        """Look at each organization."""
        if _is_preview(core):
            return
        await _begin(core)
        for key in await keys(core.pool):
            now = core.clock.now()
            after = now - timedelta(seconds=self._settings.give_up) - _SLACK
            async with core.pool.tenant(key).transaction() as queries:
                await queries.execute(SQL["find"], {"now": now, "after": after})
                for bill, due in await queries.fetch(_pair, SQL["take_up"]):
                    await _defer(core, queries, key, bill, due)


@attrs.frozen
class Regular(Round):
    """The same, again and again: it needs no event."""

    name: str = "bill-webhook-rounds"

    @property
    def period(self) -> float:
        """Seconds between two of them."""
        return self._settings.poll


@attrs.frozen
class BillDelivery:
    """Sends one bill, if it is still to be sent."""

    _settings: Settings
    name: str = "bill-webhook"
    retry: Retry = _FOR_EVER

    async def run(self, core: Core, arguments: Mapping[str, Any], /) -> None:
        """Try once; the next try waits with what became of this one."""
        key, bill = arguments["organization"], arguments["bill"]
        tenant = core.pool.tenant(key)
        for delivery in await tenant.fetch(Delivery, SQL["due"], bill):
            now = core.clock.now()
            if self._settings.url is None or _is_preview(core):
                await tenant.execute(SQL["leave"], bill)
            elif delivery.next_at > now:  # a replica of 0.1.0 tries it
                await _defer(core, tenant, key, bill, delivery.next_at)
            else:
                result = await self._send(core, self._settings.url, delivery, now)
                await self._record(core, tenant, delivery, result)

    async def _send(self, core: Core, url: str, delivery: Delivery, now: datetime) -> Result:
        secret = self._settings.secret.get_secret_value()
        async with core.outgoing.session(self._settings.timeout) as session:
            return await send(session, url, secret, delivery, now)

    async def _record(self, core: Core, tenant: Tenant, delivery: Delivery, result: Result) -> None:
        now, bill = core.clock.now(), delivery.bill
        taken = result.outcome == "delivered"
        async with tenant.transaction() as queries:
            if taken:
                await queries.execute(SQL["delivered"], {"bill": bill, "now": now})
            else:
                old = (now - delivery.made_at).total_seconds() > self._settings.give_up
                given_up = old or result.outcome == "gone"
                due = now + timedelta(seconds=self._pause(delivery.tries + 1, result.retry_after))
                failed = now if given_up else None
                row = {"bill": bill, "next": due, "failed": failed, "error": result.error}
                await queries.execute(SQL["failed"], row)
                if not given_up:
                    await _defer(core, queries, tenant.organization, bill, due)
            row = {"error": result.error, "succeeded": now if taken else None}
            for before in await queries.fetch(_text, SQL["note"], row):
                _tell(before, result.error)

    def _pause(self, tries: int, wanted: float) -> float:
        """Return how long to wait: doubled with each try, jittered, as the receiver wants."""
        longest = self._settings.retry_most
        # The exponent is bounded, as a double overflows at 2^1024.
        pause = min(self._settings.retry_first * 2.0 ** min(tries - 1, 30), longest)
        return max(pause * random.uniform(0.5, 1.0), min(wanted, longest))


async def _begin(core: Core) -> None:
    """Note, once, since when bills are sent: those that are issued from now on.

    An organization that is made later misses none: it begins with the first one.
    """
    (first,) = await core.pool.everywhere().fetch(_moment, SQL["first"])
    for key in await keys(core.pool):
        await core.pool.tenant(key).execute(SQL["begin"], first or core.clock.now())


async def _defer(core: Core, queries: Queries, key: int, bill: str, due: datetime) -> None:
    """Let a bill be sent; one of its tasks at a time is done."""
    arguments = {"organization": key, "bill": bill}
    await core.jobs.defer(
        "bill-webhook",
        arguments,
        queries=queries,
        at=due,
        lock=f"bill-webhook {key} {bill}",
        priority=-1,
    )


def _text(text: str | None) -> str | None:
    return text


def _tell(before: str | None, error: str | None) -> None:
    """Log when it begins to fail, in another way, and when it works again: no flood."""
    if error == before:
        return
    if error:
        log.warning("bill_webhook_fails", reason=error)
    else:
        log.info("bill_webhook_works")


class BillWebhook:
    """The plugin, which is also the probe of its receiver."""

    name = "bill-webhook"
    criticality: Criticality = "degraded"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wake = asyncio.Event()
        self._deliveries = Deliveries()

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the table of deliveries."""
        return [files(__package__) / "migrations"]

    @hookimpl
    def register_tasks(self) -> list[Task]:
        """Offer what sends bills; without a receiver, what leaves them to whom has one."""
        rounds: list[Task] = [Round(self._settings), Regular(self._settings)]
        return [BillDelivery(self._settings), *(rounds if self._settings.url is not None else [])]

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer whether the receiver takes bills."""
        return [self]

    @hookimpl
    def register_collectors(self) -> list[Deliveries]:
        """Offer what is measured of deliveries, if there are any."""
        return [] if self._settings.url is None else [self._deliveries]

    async def check(self, core: Core) -> None:
        """Raise if the last try was not taken, whichever process made it."""
        if self._settings.url is None or _is_preview(core):
            return
        (waiting,) = await core.pool.everywhere().fetch(Waiting, SQL["state"])
        self._deliveries.waiting = waiting.count
        if waiting.succeeded_at is not None:
            self._deliveries.succeeded = waiting.succeeded_at.timestamp()
        if waiting.error is not None:
            raise RuntimeError(waiting.error)

    @hookimpl
    def bill_issued(self, event: "BillIssued") -> None:
        """Begin a round."""
        self._wake.set()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Let a round be begun as soon as a bill is issued."""
        if self._settings.url is None or _ignored(core):
            yield
            return
        with suppress(EnergiaError):  # else the first round does
            await _begin(core)
        async with core.background.running({"bill-webhook": partial(self._begin_rounds, core)}):
            yield

    async def _begin_rounds(self, core: Core) -> None:
        while not core.state.closing:
            await self._wake.wait()
            self._wake.clear()
            # Without: the next one that comes by itself finds the bill.
            with suppress(EnergiaError):
                await core.jobs.defer("bill-webhook-round", once="bill-webhook-round")


def _is_preview(core: Core) -> bool:
    return core.settings.profile == "preview"


def _ignored(core: Core) -> bool:
    """Return whether this is a preview: its platform has copied the settings of production."""
    if _is_preview(core):
        log.warning("bill_webhook_ignored", reason="a preview sends no bills")
    return _is_preview(core)

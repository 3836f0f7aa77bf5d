"""How fast, and how many at once: the limits of a caller, and of all of them, in this process.

A caller has two buckets: of requests, one each, and of units, which a request turns out to have
cost (`energia.spending`). A bucket fills at a rate up to its burst. What a request costs is known
afterwards, so that a bucket of units may go below empty: the next request waits for it.

What is under `/v1/` is counted, and pages, which ask the same of us; and what anybody may send to
one, such as a token to sign in with. Health, metrics and documentation are answered always.
"""

import math
import time
from collections import Counter, OrderedDict
from typing import Final

import attrs
from aiohttp import web

from energia.access.callers import ANYBODY, NOBODY, Caller
from energia.errors import Busy, TooFast
from energia.settings import Limits, Rate, Settings
from energia.spending import ACCOUNT, Account, Room

#: How many callers are remembered; who was not heard for longest begins anew, with full buckets.
_CALLERS: Final = 10_000
#: Whoever has no name of their own: they are told apart by their addresses.
_NAMELESS: Final = frozenset({ANYBODY.id, NOBODY.id})


@attrs.define
class Bucket:
    """Fills at a rate, up to its size.

    Attributes:
        name: The setting that limits it.
        rate: What comes in by the second.
        size: What it holds.
        level: What was in it at an instant; below nothing where more was taken.
        at: That instant, on a clock that never goes back.

    """

    name: str
    rate: float
    size: float
    level: float
    at: float

    def fill(self, now: float) -> None:
        """Let in what has come since it was last looked at."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now

    def wait(self, needed: float) -> float:
        """Return in how many seconds it will hold *needed*."""
        return max(0.0, (needed - self.level) / self.rate)


@attrs.define
class Quota:
    """The buckets of one caller: those of limits that are set."""

    requests: Bucket | None
    units: Bucket | None

    def fill(self, now: float) -> None:
        """Let in what has come."""
        for bucket in self.buckets:
            bucket.fill(now)

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """Those that there are."""
        return tuple(filter(None, (self.requests, self.units)))

    def take(self) -> None:
        """Take a request; raises `TooFast` if there is none left, or what others cost is owed."""
        for bucket, needed in ((self.requests, 1.0), (self.units, 0.0)):
            if bucket is not None and (seconds := bucket.wait(needed)):
                raise TooFast(
                    f"more than {bucket.name} ({bucket.rate:g} a second, {bucket.size:g} at once)",
                    retry_after=math.ceil(seconds),
                )
        if self.requests is not None:
            self.requests.level -= 1

    def headers(self) -> dict[str, str]:
        """Return what is left of what is nearest to its end."""
        if not self.buckets:
            return {}
        least = min(self.buckets, key=lambda bucket: bucket.level / bucket.size)
        return {
            "RateLimit-Limit": str(math.floor(least.size)),
            "RateLimit-Remaining": str(max(0, math.floor(least.level))),
            "RateLimit-Reset": str(math.ceil(least.wait(least.size))),
        }


class Quotas:
    """The quotas of the callers that were heard of last."""

    def __init__(self, rate: Rate) -> None:
        """Begin with full buckets for everybody."""
        self._rate = rate
        self._of: OrderedDict[str, Quota] = OrderedDict()

    @property
    def needed(self) -> bool:
        """Whether any limit is set."""
        return bool(self._rate.requests or self._rate.cost)

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._of)

    def of(self, who: str) -> Quota:
        """Return the quota of a caller as it is now."""
        now = time.monotonic()
        quota = self._of.get(who) or self._full(now)
        self._of[who] = quota
        self._of.move_to_end(who)
        if len(self._of) > _CALLERS:
            self._of.popitem(last=False)
        quota.fill(now)
        return quota

    def _full(self, now: float) -> Quota:
        def bucket(name: str, rate: float, burst: float) -> Bucket | None:
            return Bucket(name, rate, burst, burst, now) if rate else None

        rate = self._rate
        return Quota(
            bucket("rate.requests", rate.requests, max(1.0, rate.requests * rate.burst)),
            bucket("rate.cost", rate.cost, max(1.0, rate.cost * rate.burst)),
        )


class Places:
    """How many requests are being answered, of each caller and of all."""

    def __init__(self, limits: Limits) -> None:
        """Begin with none."""
        self._limits = limits
        self._total = 0
        self._of: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """Take a place, which is given back by `leave`; raises `Busy` at once if there is none."""
        limits = self._limits
        if self._total >= limits.concurrency:
            raise Busy(f"more than limits.concurrency ({limits.concurrency}) requests at once")
        if self._of[who] >= limits.caller_concurrency:
            most = limits.caller_concurrency
            raise Busy(f"more than limits.caller_concurrency ({most}) requests of one caller")
        self._total += 1
        self._of[who] += 1

    def leave(self, who: str) -> None:
        """Give a place back."""
        self._total -= 1
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]


_QUOTA: Final = web.RequestKey("_QUOTA", Quota)
_ACCOUNT: Final = web.RequestKey("_ACCOUNT", Account)


class Rates:
    """What the callers of one application may still ask for."""

    def __init__(self, settings: Settings) -> None:
        """Begin with full buckets, and all places and the room free."""
        self.quotas = Quotas(settings.rate)
        self.places = Places(settings.limits)
        self.room = Room(settings.limits.memory_bytes)

    def turn(self, request: web.Request, caller: Caller) -> "_Turn":
        """Let *caller* ask so fast, and so much at once; others are answered before a body is read.

        Whoever has no name is known by the address. Behind a proxy that is not trusted
        (`server.trusted_proxies`) that is the proxy's, for all of them together.

        Raises:
            TooFast: The caller has asked too fast, or for too much.
            Busy: Too many requests are being answered.

        """
        who = f"address:{request.remote}" if caller.id in _NAMELESS else caller.id
        account = request[_ACCOUNT] = Account(room=self.room)
        return _Turn(self, request, who, account)


class _Turn:
    """The turn of a request; no generator, as each request has one."""

    __slots__ = ("_account", "_has_quota", "_rates", "_request", "_token", "_who")

    def __init__(self, rates: Rates, request: web.Request, who: str, account: Account) -> None:
        self._rates, self._request, self._who, self._account = rates, request, who, account
        self._has_quota = rates.quotas.needed

    def __enter__(self) -> None:
        self._token = ACCOUNT.set(self._account)
        try:
            if self._has_quota:
                quota = self._request[_QUOTA] = self._rates.quotas.of(self._who)
                quota.take()
            self._rates.places.take(self._who)
        except BaseException:
            self._end()
            raise

    def __exit__(self, *_: object) -> None:
        self._rates.places.leave(self._who)
        self._end()

    def _end(self) -> None:
        ACCOUNT.reset(self._token)
        self._account.close()
        if self._has_quota:
            settle(self._request)


def settle(request: web.BaseRequest) -> dict[str, str]:
    """Take what the request has cost so far, and return the headers that tell what is left."""
    quota: Quota | None = request.get(_QUOTA)
    if quota is None:
        return {}
    quota.fill(time.monotonic())
    account: Account = request[_ACCOUNT]
    if quota.units is not None:
        quota.units.level -= account.units
    account.units = 0.0
    return quota.headers()

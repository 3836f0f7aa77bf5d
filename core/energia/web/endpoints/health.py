"""Health: what a container engine, a proxy and a person ask for.

The bodies follow draft-inadarei-api-health-check-06 (`application/health+json`), `state` and
`reason` being ours. Everybody sees how each component is; only who sends `health.token`, or a token
with the scope `health`, sees why.
"""

import asyncio
import hmac
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import ClassVar, Final

import attrs
from aiohttp import hdrs, web

import energia
from energia.convert import dumps
from energia.core import Core
from energia.errors import EnergiaError
from energia.health.monitor import Component, Monitor, StateName, Status
from energia.health.probes import ComponentType
from energia.settings import SecretStr
from energia.web.access import AUTHENTICATION, bearer_of
from energia.web.keys import CORE, MONITOR
from energia.web.routes import PUBLIC, Routes

HEALTH_JSON: Final = "application/health+json"
#: Seconds after which to ask again a service that is not ready.
_RETRY_AFTER: Final = "2"

#: Seconds that a token may take to be looked up: details are no reason for health to be late.
_PATIENCE: Final = 0.05

routes = Routes(tag="Service", reads=PUBLIC)


@attrs.frozen
class Check:
    """How one component is; all but `status` is for who sends `health.token`.

    Attributes:
        status: `warn` for what is not critical, or not away for long.
        componentType: What it is.
        observedValue: What its last check measured.
        observedUnit: The unit of that.
        time: When it was last checked.
        age: How many seconds ago that was.
        output: What is wrong.

    """

    __public_name__: ClassVar[str] = "HealthCheck"

    status: Status
    componentType: ComponentType | None = None
    observedValue: float | None = None
    observedUnit: str | None = None
    time: datetime | None = None
    age: float | None = None
    output: str | None = None


@attrs.frozen
class Health:
    """How the service is.

    Attributes:
        status: `pass` and `warn` come with 200, `fail` with 503.
        state: How far the service is; `degraded` is ready with a complaint.
        reason: Why it is not ready: `starting`, `migrating`, `draining`, or a component's name.
        version: The version of the service; this and what follows only for `health.token`,
            but for the notes of a preview.
        releaseId: The commit it was built from.
        serviceId: Which of the platform's services it is.
        notes: What else there is to know.
        checks: Each component, by its name and what is measured: `database:responseTime`.

    """

    status: Status
    state: StateName
    reason: str | None = None
    version: str | None = None
    releaseId: str | None = None
    serviceId: str | None = None
    notes: tuple[str, ...] | None = None
    checks: Mapping[str, tuple[Check, ...]] | None = None


#: What it is like when it cannot work.
_FAILED: Final = {HTTPStatus.SERVICE_UNAVAILABLE: Health}


@routes.get("/health", produces=(HEALTH_JSON,), returns=Health, answers=_FAILED)
async def get_health(request: web.Request) -> web.Response:
    """Say how the service and its components are.

    503 when it cannot work: it has not started, or a critical component has been away for longer
    than `health.database_grace`. With `Authorization: Bearer <health.token>` the answer says why.
    """
    core, monitor = request.app[CORE], request.app[MONITOR]
    trusted = await _trusted(request, core.settings.health.token)
    now = core.clock.now() if trusted else None
    checks = {
        f"{component.name}:{component.measurement}": (_check(component, now),)
        for component in monitor.components()
    }
    health = Health(
        monitor.status(),
        monitor.state(),
        monitor.reason(),
        notes=_notes(core, trusted),
        checks=checks,
    )
    return _answer(health.status, dumps(_with_release(health) if trusted else health))


@routes.get("/health/ready", produces=(HEALTH_JSON,), returns=Health, answers=_FAILED)
async def get_readiness(request: web.Request) -> web.Response:
    """Say whether the service should get requests; 503 while it starts, migrates or drains."""
    monitor: Monitor = request.app[MONITOR]
    reason = monitor.reason()
    status: Status = "pass" if reason is None else "fail"
    return _answer(status, _brief(status, monitor.state(), reason))


@routes.get("/health/live", produces=(HEALTH_JSON,), returns=Health, answers=_FAILED)
async def get_liveness(request: web.Request) -> web.Response:
    """Say that the process answers, whatever it depends on; 503 if its event loop was held up."""
    return liveness(request.app[CORE], request.app[MONITOR])


def liveness(core: Core, monitor: Monitor) -> web.Response:
    """Answer that the process lives."""
    state = monitor.recent_state()
    if core.state.heartbeat.age > core.settings.health.loop_timeout:
        return _answer("fail", _brief("fail", state, "event_loop"))
    return _answer("pass", _brief("pass", state))


async def _trusted(request: web.Request, token: SecretStr) -> bool:
    """Return whether the request carries `health.token`, or a token with the scope `health`.

    In constant time for the former. What is known of the latter may have to be looked up, for which
    health does not wait.
    """
    if (given := bearer_of(request)) is None:
        return False
    wanted = token.get_secret_value().encode()
    if token and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted):
        return True
    try:
        async with asyncio.timeout(_PATIENCE):
            return (await request.app[AUTHENTICATION].caller(given)).may("health")
    except (EnergiaError, TimeoutError):
        return False


def _check(component: Component, now: datetime | None) -> Check:
    """Describe a component; in full only with the time it is."""
    if now is None:
        return Check(component.status)
    observed = component.observed
    return Check(
        status=component.status,
        componentType=component.type,
        observedValue=None if observed is None else observed.value,
        observedUnit=None if observed is None else observed.unit,
        time=None if component.age is None else now - timedelta(seconds=component.age),
        age=None if component.age is None else round(component.age, 3),
        output=component.output,
    )


def _with_release(health: Health) -> Health:
    """Add what runs."""
    return attrs.evolve(
        health,
        version=energia.__version__,
        releaseId=os.environ.get("SOURCE_COMMIT") or None,
        serviceId=os.environ.get("COOLIFY_RESOURCE_UUID") or None,
    )


def _notes(core: Core, trusted: bool) -> tuple[str, ...] | None:
    """Return what else there is to know; everybody learns that a preview is one."""
    profile = core.settings.profile
    if trusted:
        return (f"profile {profile}", *core.pool.bearing.notes)
    return (f"profile {profile}",) if profile == "preview" else None


@lru_cache(maxsize=64)
def _brief(status: Status, state: StateName, reason: str | None = None) -> bytes:
    """Return what is asked for several times a second, and hardly ever another text."""
    return dumps(Health(status, state, reason))


def _answer(status: Status, body: bytes) -> web.Response:
    failed = status == "fail"
    headers = {hdrs.CONTENT_TYPE: HEALTH_JSON, hdrs.CACHE_CONTROL: "no-store"}
    if failed:
        headers[hdrs.RETRY_AFTER] = _RETRY_AFTER
    return web.Response(body=body, status=503 if failed else 200, headers=headers)

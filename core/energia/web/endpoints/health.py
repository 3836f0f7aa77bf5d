"""Health: what a container engine, a proxy and a person ask for."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import attrs
from aiohttp import web

from energia.convert import dumps
from energia.health.monitor import Monitor, Status
from energia.web.keys import MONITOR
from energia.web.routes import Routes

HEALTH_JSON: Final = "application/health+json"
#: Seconds after which to ask again a service that is not ready.
_RETRY_AFTER: Final = "2"

routes = Routes(tag="Service")


@attrs.frozen
class Check:
    """How one component is."""

    status: Status


@attrs.frozen
class Health:
    """How the service is.

    Attributes:
        status: `pass` and `warn` come with 200, `fail` with 503.
        reason: Why it is not ready: `starting`, `migrating`, `database`, `draining`.
        checks: Each component by its name.

    """

    status: Status
    reason: str | None = None
    checks: Mapping[str, tuple[Check, ...]] | None = None


#: What it is like when it cannot work.
_FAILED: Final = {HTTPStatus.SERVICE_UNAVAILABLE: Health}


@routes.get("/health", produces=(HEALTH_JSON,), returns=Health, answers=_FAILED)
async def get_health(request: web.Request) -> web.Response:
    """Say how the service and its components are.

    503 when it cannot work: it has not started, or a critical component has been away for longer
    than `health.database_grace`.
    """
    monitor = request.app[MONITOR]
    checks = {one.name: (Check(one.status),) for one in monitor.components()}
    return _response(Health(monitor.status(), monitor.reason(), checks))


@routes.get("/health/ready", produces=(HEALTH_JSON,), returns=Health, answers=_FAILED)
async def get_ready(request: web.Request) -> web.Response:
    """Say whether the service should get requests; 503 while it starts, migrates or drains."""
    monitor: Monitor = request.app[MONITOR]
    reason = monitor.reason()
    return _response(Health("pass" if reason is None else "fail", reason))


@routes.get("/health/live", produces=(HEALTH_JSON,), returns=Health)
async def get_live(request: web.Request) -> web.Response:
    """Say that the process answers, whatever it depends on."""
    return _response(Health("pass"))


def _response(health: Health) -> web.Response:
    failed = health.status == "fail"
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": _RETRY_AFTER} if failed else {})
    status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
    body = dumps(health)
    return web.Response(body=body, status=status, content_type=HEALTH_JSON, headers=headers)

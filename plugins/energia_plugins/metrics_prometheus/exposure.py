"""Who may read the metrics, where, and in which format.

Why not `prometheus_async.aio.web`: it serves the one registry of the process and lets everybody in,
where each service here has a registry and a token; it writes the text in the event loop, and takes
OpenMetrics for asked for whatever version is.
"""

import asyncio
import errno
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

import attrs
import structlog
from aiohttp import web
from msgspec import Meta
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from energia import Caller, Core, Invalid, Scope, SecretStr
from energia.access.callers import ANYBODY
from energia.errors import PluginError, Unauthenticated
from energia.web.keys import CALLER, CORE
from energia_plugins.metrics_prometheus.requests import PATH


@attrs.frozen
class Settings:
    """How the metrics are exposed. Without any of these they are open in development only.

    Attributes:
        token: What a scraper sends as `Authorization: Bearer <token>`.
        port: A port of their own, beside the public one, which then has no `/metrics`.
        public: Whether anybody may read them on the public port.

    """

    token: SecretStr = SecretStr("")
    port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    public: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.public and (self.token or self.port is not None):
            raise Invalid("public metrics have neither a token nor a port of their own")

    def open(self, profile: str) -> bool:
        """Tell whether the public port shows them to anybody."""
        return self.public or (profile == "development" and not self.token)


_NEEDED: Final = "the token of the metrics is needed"
_CLOSED: Final = (
    "metrics are closed: plugins.metrics-prometheus needs a token, a port or public = true"
)


@attrs.frozen
class Scrapers:
    """Recognises scrapers by the token of the metrics, besides tokens with the scope `metrics`."""

    token: SecretStr
    name: str = "metrics"

    async def authenticate(self, bearer: str, core: Core) -> Caller | None:
        """Return the scraper; in constant time."""
        wanted = self.token.get_secret_value().encode()
        same = hmac.compare_digest(bearer.encode(errors="surrogateescape"), wanted)
        scopes: frozenset[Scope] = frozenset({"metrics"})
        return (
            Caller("metrics", "plugins.metrics-prometheus.token", scopes=scopes) if same else None
        )


log = structlog.get_logger(__name__)


class _Snapshot(Collector):
    """The metrics as they were at one moment, to be written by another thread."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """Return them."""
        return self._metrics


class Exposure:
    """The door to the metrics of a registry: it gives them to those who may have them."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._registry = registry

    async def public(self, request: web.Request) -> web.Response:
        """Answer on the public port."""
        settings = request.app[CORE].settings
        known = request[CALLER] is not ANYBODY
        if not (known or self._settings.open(settings.profile)):
            raise Unauthenticated(_NEEDED if self._settings.token else _CLOSED)
        return await self._metrics(request)

    async def private(self, request: web.Request) -> web.Response:
        """Answer on the port of the metrics."""
        if self._settings.token:
            self._refuse_strangers(request)
        return await self._metrics(request)

    @asynccontextmanager
    async def listening(self, core: Core) -> AsyncIterator[None]:
        """Listen on the port of the metrics, if they have one."""
        if self._settings.port is None:
            known = bool(self._settings.token) or core.settings.auth.required
            if not (known or self._settings.open(core.settings.profile)):
                log.warning("metrics_closed", reason=_CLOSED)
            yield
            return
        app = web.Application()
        app.router.add_get(PATH, self.private)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await _listen(runner, core.settings.server.host, self._settings.port)
            yield
        finally:
            await runner.cleanup()

    def _refuse_strangers(self, request: web.Request) -> None:
        """Raise 401 for whoever does not send the token; in constant time."""
        wanted = self._settings.token.get_secret_value()
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(errors="surrogateescape"), wanted.encode())
        if not (wanted and same and scheme.lower() == "bearer"):
            raise web.HTTPUnauthorized(text=_NEEDED, headers={"WWW-Authenticate": "Bearer"})

    async def _metrics(self, request: web.Request) -> web.Response:
        """Return the metrics, as text or as OpenMetrics."""
        try:
            encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        except (ValueError, TypeError):  # what it asks for is not the number of a version
            encode, content_type = choose_encoder("")
        # Writing takes twice as long as collecting, and needs nothing that requests change.
        body = await asyncio.to_thread(encode, _Snapshot(list(self._registry.collect())))
        response = web.Response(body=body)
        response.headers.update({"Content-Type": content_type, "Cache-Control": "no-store"})
        return response


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "the port is in use" if in_use else error.strerror
        raise PluginError(f"metrics cannot listen on {host} port {port}: {reason}") from error
    log.info("metrics_listening", host=host, port=runner.addresses[0][1])

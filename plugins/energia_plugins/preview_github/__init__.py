"""Ends previews: GitHub says which pull requests are closed, and a reaper drops their databases.

It works in production only, where `preview.admin_url` is set; without `[plugins.preview-github]`
the reaper still drops what has been silent for `preview.ttl`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import attrs
import structlog
from aiohttp import web
from msgspec import Meta

from energia import PUBLIC, Core, EnergiaError, Malformed, Routes, SecretStr, Task, Tenant, hookimpl
from energia.errors import NotFound, TooLarge
from energia.previews.cluster import Cluster
from energia.web.bodies import Limit
from energia_plugins.preview_github import webhook
from energia_plugins.preview_github.reaper import Counts, Reaper, RegularReaper, is_active
from energia_plugins.preview_github.webhook import BadSignature, Deliveries, Event, NotAllowed

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

PATH = "/v1/previews/github"

log = structlog.get_logger(__name__)


@attrs.frozen
class Settings:
    """Whom to believe. Times are in seconds.

    Attributes:
        secret: What GitHub signs with; without one there is no webhook.
        repositories: Whose pull requests these are, as `owner/name`.
        body_bytes: The longest body.
        keep: For how long a delivery is remembered, and how old an event may be.
        poll: How often to look for deliveries that another replica left.

    """

    secret: SecretStr = SecretStr("")
    repositories: tuple[str, ...] = ()
    body_bytes: Annotated[int, Meta(ge=1)] = 1024 * 1024
    keep: Annotated[float, Meta(gt=0)] = 2_592_000.0
    poll: Annotated[float, Meta(gt=0)] = 60.0


@attrs.frozen
class Received:
    """What is done with a delivery; a repeated one is answered like the first."""

    status: Literal["accepted", "ignored", "pong"]


class GithubEvents:
    """The task that does what GitHub has sent."""

    name = "preview-github"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self, core: Core, _: Mapping[str, Any], /) -> None:
        """Do it, and let the reaper see to what was closed."""
        if not is_active(core):
            return
        try:
            if await deliveries_of(core, self._settings).work(Cluster.administered(core.settings)):
                await core.jobs.defer(Reaper.name, once=Reaper.name)
        except EnergiaError as error:
            log.warning("preview_events", error=error.detail or error.title)


class RegularGithubEvents(GithubEvents):
    """The same, again and again: what was left by a process that ended is done, too."""

    name = "preview-github-rounds"

    @property
    def period(self) -> float:
        """Seconds between two looks."""
        return self._settings.poll


def deliveries_of(core: Core, settings: Settings) -> Deliveries:
    """Return what GitHub has sent."""
    return Deliveries(core, timedelta(seconds=settings.keep))


class PreviewGithub:
    """The plugin."""

    def __init__(self, settings: Settings) -> None:
        if settings.secret and not settings.repositories:
            raise ValueError("repositories: name the repository whose pull requests these are")
        self._settings = settings
        self._repositories = {name.lower() for name in settings.repositories}
        self._counts = Counts()
        self._reaper = RegularReaper(self._counts)

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the table of deliveries."""
        return [files(__package__) / "migrations"]

    @hookimpl
    def register_tasks(self) -> list[Task]:
        """Offer the reaper, and what does what GitHub has sent; both do nothing elsewhere."""
        events = (GithubEvents(self._settings), RegularGithubEvents(self._settings))
        return [self._reaper, Reaper(self._counts), *events]

    @hookimpl
    def register_collectors(self) -> "Iterable[Collector]":
        """Offer the counts of the reaper."""
        from energia_plugins.preview_github.metrics import PreviewCollector

        return [PreviewCollector(self._counts)]

    @hookimpl
    def register_routes(self) -> Routes:
        """Offer the webhook, where there is a secret."""
        routes = Routes(tag="Service", writes=PUBLIC)  # GitHub signs what it sends
        if self._settings.secret:
            errors = (NotFound, TooLarge, Malformed, BadSignature, NotAllowed)
            routes.post(PATH, status=HTTPStatus.ACCEPTED, errors=errors)(self.receive)
        return routes

    async def receive(self, request: web.Request, core: Core, tenant: Tenant) -> Received:
        """Take what GitHub reports about pull requests, signed with the secret that it shares.

        It is remembered and answered at once, and done afterwards; the same delivery again gets
        the same answer and does nothing.
        """
        if not is_active(core):
            raise NotFound("no previews are ended here")
        limit = Limit("plugins.preview-github.body_bytes", self._settings.body_bytes)
        secret = self._settings.secret.get_secret_value()
        body = await webhook.signed_body(request, secret, limit)
        delivery = webhook.delivery(request.headers)
        match request.headers.get(webhook.EVENT):
            case "ping":
                return Received("pong")
            case webhook.PULL_REQUEST:
                event, deliveries = self._event(body), deliveries_of(core, self._settings)
            case _:
                return Received("ignored")
        if event.action not in webhook.ACTIONS or not deliveries.accepts(event):
            return Received("ignored")
        if await deliveries.receive(tenant, delivery, body, event):
            log.info("preview_event", pr=event.number, action=event.action, delivery=delivery)
            with suppress(EnergiaError):  # it is remembered: the next round finds it
                await core.jobs.defer(GithubEvents.name, once=GithubEvents.name)
        return Received("accepted")

    def _event(self, body: bytes) -> Event:
        event = webhook.event(body)
        if event.repository.full_name.lower() not in self._repositories:
            raise NotAllowed(f"{event.repository.full_name} is not one of the repositories")
        return event

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Reap at once, and then how often it is said; or say that nothing is reaped here."""
        self._reaper.period = core.settings.preview.reap_period
        if is_active(core):
            with suppress(EnergiaError):  # the next round comes
                await core.jobs.defer(Reaper.name, once=Reaper.name)
        else:
            self._warn(core)
        yield

    def _warn(self, core: Core) -> None:
        """Say that settings are ignored: a platform copies those of production to previews."""
        if self._settings.secret:
            why = "only production with preview.admin_url ends previews"
            log.warning("preview_github_ignored", profile=core.settings.profile, reason=why)

"""A service with the console, and who asks it as a browser does: with cookies and its own forms."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from http import HTTPStatus

import attrs
from aiohttp import ClientResponse

from energia.access import tokens
from energia.access.callers import Scope
from energia.access.tokens import NewToken
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Auth, Jobs, Rate, Settings
from tests.serving import LOOPBACK, Client, Serving, make_core

_TAG = re.compile(r"<[^>]*>")
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]*)"')


@attrs.frozen
class Answer:
    """What a browser was answered.

    Attributes:
        status: The HTTP status.
        path: The path and the query that answered, once redirections are followed.
        html: The page.
        headers: As they were sent.

    """

    status: int
    path: str
    html: str
    headers: Mapping[str, str]

    @classmethod
    async def of(cls, answer: ClientResponse) -> "Answer":
        """Read an answer to its end."""
        return cls(answer.status, answer.url.path_qs, await answer.text(), answer.headers)

    @property
    def text(self) -> str:
        """What a person reads: no tags, each space a plain one."""
        return " ".join(unescape(_TAG.sub(" ", self.html)).split())

    @property
    def form_token(self) -> str:
        """What the forms of the page send; a page without a form has none."""
        found = _FORM_TOKEN.search(self.html)
        return unescape(found[1]) if found else ""


@attrs.frozen
class Service:
    """A service that needs tokens, and has the console.

    Attributes:
        client: Keeps cookies, as a browser does.
        pool: Its database.

    """

    client: Client
    pool: Pool

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self.client.make_url("")).rstrip("/")

    async def token(self, *scopes: Scope, organization: int = 1) -> str:
        """Make a token; one for everything without *scopes*."""
        new = NewToken("Ana", scopes or ("admin",))
        tenant = self.pool.tenant(organization)
        return (await tokens.create(tenant, new, datetime.now(UTC))).text

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        async with self.client.get(path, headers=sent) as answer:
            return await Answer.of(answer)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form of ours, as it is on the page of its path; what it leads to is followed."""
        page = await self.get("/console/sign-in")
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        form = {"form_token": page.form_token, **fields}
        origin = {"Origin": self.url}
        async with self.client.post(path, data=form, headers=origin | sent) as answer:
            return await Answer.of(answer)

    async def sign_in(self, *scopes: Scope, token: str | None = None) -> Answer:
        """Sign in, with a token that is made for it unless one is given."""
        token = token or await self.token(*scopes)
        answer = await self.post("/console/sign-in", {"token": token})
        assert answer.status == HTTPStatus.OK, answer.text
        return answer


@asynccontextmanager
async def serve(
    serving: Serving,
    pool: Pool,
    *,
    auth: Auth | None = None,
    rate: Rate | None = None,
    jobs: Jobs | None = None,
) -> AsyncIterator[Service]:
    """Serve with every bundled plugin while the block lasts; tokens are needed, by default."""
    settings = attrs.evolve(
        Settings(),
        auth=auth or Auth(required=True),
        rate=rate or Rate(),
        jobs=jobs or Jobs(),
        outgoing=LOOPBACK,
    )
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with serving(core) as client:
        yield Service(client, pool)

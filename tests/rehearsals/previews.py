"""Previews beside production, on a real PostgreSQL, from the first start to the reaper.

Run it with `make rehearse-previews`. One server has production's database, which one role owns, and
the previews of another role, which may create databases and owns nothing else. Every service is a
process, with the variables that Coolify would give it; a preview ends as Coolify ends it, by
SIGKILL. What must hold is asserted; what took how long is printed.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import attrs

from energia.db.embedded import ADMIN, Embedded
from energia.previews.cluster import PreviewPlan
from tests.e2e import service
from tests.e2e.service import Service
from tests.previews import PreviewServer, of
from tests.rehearsals.codes import met

SECRET = "between GitHub and us"
PRODUCTION = {
    "ENERGIA_PROFILE": "production",
    "ENERGIA_PLUGINS__PREVIEW_GITHUB__SECRET": SECRET,
    "ENERGIA_PLUGINS__PREVIEW_GITHUB__REPOSITORIES": '["acme/energia"]',
    "ENERGIA_PREVIEW__REAP_PERIOD": "0.5",
    "ENERGIA_SERVER__DRAIN_READY": "0",
    "ENERGIA_SERVER__DRAIN": "0",
}
#: Production's own tables, but for what it writes meanwhile by design: what GitHub told, when its
#: rounds are due again, and that its workers live.
TABLES = """select format('%I', relname) from pg_class where relkind in ('r', 'p')
  and relnamespace = 'public'::regnamespace and relname not in ('preview_github_delivery',
  'procrastinate_jobs', 'procrastinate_events', 'procrastinate_workers') order by 1"""
ROWS = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t"
#: How many work off production's queue: a service has one for what takes hours, one for the rest.
WORKERS = "select count(*) from procrastinate_workers"


@attrs.define
class Figures:
    """How long what took, in seconds: each time it was done."""

    seconds: dict[str, list[float]] = attrs.Factory(dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Time the block."""
        started = time.monotonic()
        yield
        self.seconds.setdefault(what, []).append(time.monotonic() - started)

    def print(self) -> None:
        """Print them as a table."""
        for what, all_ in self.seconds.items():
            low, high, mean = min(all_), max(all_), sum(all_) / len(all_)
            print(f"{what:<48} {len(all_):>3} x  {low:.2f} to {high:.2f} s, mean {mean:.2f} s")


@attrs.frozen
class Stage:
    """The server, production on it, and the clock."""

    server: PreviewServer
    production: Service
    figures: Figures

    @asynccontextmanager
    async def opened(
        self, *numbers: int, replicas: int = 1, what: str = "made, migrated, filled"
    ) -> AsyncIterator[None]:
        """Run the previews of pull requests, all started at once; the end kills them."""
        async with AsyncExitStack() as stack:
            count = len(numbers) * replicas
            with self.figures.timed(f"start to ready, {count} at once: {what}"):
                running = [
                    await stack.enter_async_context(self._preview(number))
                    for number in numbers
                    for _ in range(replicas)
                ]
                await asyncio.gather(*(service.ready(one) for one in running))
            yield

    def _preview(self, number: int) -> AbstractAsyncContextManager[Service]:
        copied = {**PRODUCTION, "ENERGIA_PREVIEW__ADMIN_URL": self.server.url()}
        told = {
            "COOLIFY_CONTAINER_NAME": f"vgwk4oc-pr-{number}",
            "COOLIFY_BRANCH": f"pull/{number}/head:pr-{number}-coolify",
        }
        url = self.server.url("app_pr_${PR_NUMBER}")
        return service.serving(
            url, wait=False, python=sys.executable, port=None, **{**copied, **told}
        )

    async def tell(self, action: str, number: int, *, again: int = 0) -> None:
        """Tell production of a pull request, as GitHub does; *again* so often, the same."""
        now = datetime.now(UTC).isoformat()
        event = {
            "action": action,
            "number": number,
            "pull_request": {"updated_at": now},
            "repository": {"full_name": "acme/energia"},
        }
        body, delivery = json.dumps(event).encode(), str(uuid.uuid4())
        for _ in range(again + 1):
            with self.figures.timed("webhook to answer"):
                await self._post(body, delivery)

    async def _post(self, body: bytes, delivery: str) -> None:
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={digest}",
        }
        url = f"{self.production.url}/v1/previews/github"
        async with aiohttp.ClientSession() as api, api.post(url, data=body, headers=headers) as got:
            assert (got.status, await got.json()) == (202, {"status": "accepted"})

    async def marked(self, number: int, *, closed: bool) -> None:
        """Wait until a pull request is marked as closed, or is not any more."""
        async with asyncio.timeout(60):
            while True:
                found = [one for one in await self.server.cluster().previews() if one.pr == number]
                assert found[0].marker is not None
                if (found[0].marker.closed_at is not None) is closed:
                    return
                await asyncio.sleep(0.02)

    async def until(self, *expected: int) -> None:
        """Wait until just these pull requests have databases."""
        names = [f"app_pr_{number}" for number in expected]
        async with asyncio.timeout(60):
            while await asyncio.to_thread(self.server.databases) != names:
                await asyncio.sleep(0.02)


def checksum(server: PreviewServer, database: str) -> str:
    """Return a digest of every row of a database."""
    tables = [name for (name,) in server.run(TABLES, database, ADMIN)]
    rows = [server.run(ROWS.format(name), database, ADMIN)[0][0] for name in tables]
    return hashlib.sha256(json.dumps(list(zip(tables, rows, strict=True))).encode()).hexdigest()


async def rehearse(
    server: PreviewServer, url: str, database: str, numbers: tuple[int, ...] = (1, 10, 12)
) -> Figures:
    """Rehearse it all on a server.

    Args:
        server: The server, without previews.
        url: Production's database, migrated, with rows in it.
        database: Its name.
        numbers: The pull requests, the first of which is in the names of others.

    """
    figures = Figures()
    given = {**PRODUCTION, "ENERGIA_PREVIEW__ADMIN_URL": server.url()}
    async with service.serving(
        url, wait=True, python=sys.executable, port=None, **given
    ) as production:
        before = checksum(server, database)
        await _played(Stage(server, production, figures), numbers)
        assert production.process.returncode is None
        assert production.tracebacks() == []
    await _alone(server, figures)
    codes = await met(server, database)
    assert set(codes) == {"42P04", "23505", "55006", "42501", "3D000"}, codes
    assert checksum(server, database) == before
    assert server.run(WORKERS, database, ADMIN) == [(2,)]  # no preview does production's work
    return figures


async def _played(stage: Stage, numbers: tuple[int, ...]) -> None:
    first, *others = numbers
    async with stage.opened(*numbers, replicas=2):
        await stage.until(*numbers)
    async with stage.opened(*numbers, replicas=2, what="nothing to make"):
        await stage.until(*numbers)
    with stage.figures.timed("webhook to dropped"):
        await stage.tell("closed", first, again=2)
        await stage.until(*others)
    async with stage.opened(first):
        await stage.tell("closed", first)
        await stage.marked(first, closed=True)
        await stage.tell("reopened", first)
        await stage.marked(first, closed=False)
    await asyncio.sleep(2)
    await stage.until(*numbers)  # what was reopened has stayed, through several rounds
    for number in others:
        stage.server.age(number, seen_at=4 * 86_400)
    with stage.figures.timed("silent to dropped, a round every 0.5 s"):
        await stage.until(first)
    await stage.server.cluster().close(first)
    await stage.until()


async def _alone(server: PreviewServer, figures: Figures) -> None:
    """Time the database work by itself, without a service."""
    for number in range(900, 905):
        with figures.timed("the database alone: made"):
            await server.cluster().make(PreviewPlan(number))
        with figures.timed("the database alone: there already"):
            await server.cluster().make(PreviewPlan(number))
        with figures.timed("the database alone: dropped"):
            await server.cluster().drop(number)


async def _main() -> None:
    with tempfile.TemporaryDirectory(prefix="energia-") as folder:
        Path(folder).chmod(0o755)
        embedded = Embedded(Path(folder) / "server")
        url = embedded.start()
        try:
            await _demo(url)
            figures = await rehearse(of(embedded), url, "energia")
        finally:
            embedded.stop()
    figures.print()
    print("Production's database is as it was; 42P04, 23505, 55006, 42501 and 3D000 were met.")


async def _demo(url: str) -> None:
    """Fill production's database."""
    command = (sys.executable, "-m", "energia", "demo")
    process = await asyncio.create_subprocess_exec(
        *command, env=service.environment(DATABASE_URL=url), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


if __name__ == "__main__":
    asyncio.run(_main())

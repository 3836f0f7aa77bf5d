"""The log of a real process: one JSON line a request, and no secret."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from tests.e2e.service import Service, serving

SECRETS = ("hidden-in-a-header", "hidden-in-a-query", "hidden-in-a-body", "hidden-in-the-url")
WEBHOOK = """
[plugins.bill-webhook]
secret = "hidden-in-the-configuration"
"""


def lines(service: Service) -> list[dict[str, Any]]:
    """Return what was logged."""
    return [json.loads(line) for line in service.logged().splitlines()]


def with_password(url: str, password: str) -> str:
    """Return a database URL with a password, which a socket's server does not ask for."""
    parts = urlsplit(url)
    user = parts.username or "energia"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))


async def test_each_request_is_one_line(service: Service) -> None:
    """It has the id, the method, the route and the status; the path with its ids is not there."""
    headers = {"X-Request-Id": "mine-1"}
    async with (
        aiohttp.ClientSession(service.url) as api,
        api.get("/v1/sites/someone", headers=headers) as answer,
    ):
        assert answer.status == 404
    await service.stop()

    (line,) = [one for one in lines(service) if one["event"] == "request"]
    assert {name: line[name] for name in ("request_id", "method", "route", "status")} == {
        "request_id": "mine-1",
        "method": "GET",
        "route": "/v1/sites/{site}",
        "status": 404,
    }
    assert 0 <= line["seconds"] < 10
    assert "someone" not in json.dumps(line)


async def test_health_is_not_logged(service: Service) -> None:
    """A probe each two seconds would be most of the log."""
    async with aiohttp.ClientSession(service.url) as api:
        for path in ("/health", "/health/ready", "/health/live"):
            await api.get(path)
    await service.stop()

    assert [one for one in lines(service) if one["event"] == "request"] == []


async def test_no_secret_is_logged(database: str, tmp_path: Path) -> None:
    """Not from headers, queries, bodies or the configuration, whatever goes wrong."""
    header, query, body, url = SECRETS
    file = tmp_path / "secret.toml"
    file.write_text(WEBHOOK)
    async with serving(with_password(database, url), "--config", str(file)) as service:
        async with aiohttp.ClientSession(service.url) as api:
            for sent in (
                {"headers": {"Authorization": f"Basic {header}", "Cookie": f"a={header}"}},
                {"headers": {"Authorization": f"Bearer {header}"}},
                {"params": {"token": query}},
                {"json": {"name": body, "password": body}},
                {"data": f'{{"name": "{body}', "headers": {"Content-Type": "application/json"}},
            ):
                async with api.put("/v1/sites/home", **sent) as answer:
                    assert answer.status in (400, 401, 422)
        await service.stop()
        logged = service.logged()

    assert '"event": "request"' in logged
    assert "ready" in logged
    assert [one for one in (*SECRETS, "hidden-in-the-configuration") if one in logged] == []


async def test_a_wrong_password_is_not_logged() -> None:
    """A database that refuses us is named without what was tried."""
    url = "postgresql://energia:hidden-in-the-url@127.0.0.1:1/none"
    async with serving(url, wait=False) as service, aiohttp.ClientSession() as api:
        for _ in range(100):
            try:
                async with api.get(f"{service.url}/health/ready") as answer:
                    assert answer.status == 503
                    break
            except aiohttp.ClientConnectorError:
                continue
        while "database_away" not in service.logged():
            assert service.process.returncode is None
        await service.stop()

        assert "hidden-in-the-url" not in service.logged()

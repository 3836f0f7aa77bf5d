"""What the webhook of `preview-github` refuses: nobody but GitHub is believed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from energia.previews.cluster import PreviewPlan
from tests.plugins.github import IGNORED, OURS, URL, answer, body, headers, service
from tests.previews import PreviewServer
from tests.serving import Serving


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"X-Hub-Signature-256": ""}, 401, "bad_signature"),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401, "bad_signature"),
        ({"X-Hub-Signature-256": "sha256=\u00e9"}, 401, "bad_signature"),
        ({"X-Hub-Signature-256": "sha1=0"}, 401, "bad_signature"),
        ({"X-GitHub-Delivery": ""}, 400, "malformed"),
        ({"X-GitHub-Delivery": "a b"}, 400, "malformed"),
        ({"X-GitHub-Delivery": "a" * 101}, 400, "malformed"),
    ],
)
async def test_headers_that_do_not_fit_are_refused(
    database: str,
    previews: PreviewServer,
    change: dict[str, str],
    status: int,
    code: str,
    serving: Serving,
) -> None:
    """Without the secret there is nothing to be had but a 401."""
    async with service(serving, database, previews) as api:
        sent = body()
        got, problem = await answer(api, sent, {**headers(sent), **change})

    assert (got, problem["code"]) == (status, code)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body(number=0), 400),
        (body(number=10_000_000_000), 400),
        (body(number="7; drop database energia"), 400),  # type: ignore[arg-type]
        (b"payload=%7B%7D", 400),
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (body(pull_request={"updated_at": "2026-01-01T00:00:00"}), 400),
        (body(repository={"full_name": "mallory/energia"}), 403),
        (body("opened"), 202),
        (body("synchronize"), 202),
    ],
)
async def test_bodies_are_judged_after_the_signature(
    database: str, previews: PreviewServer, sent: bytes, status: int, serving: Serving
) -> None:
    """What does not fit is refused, what does not concern us is passed over."""
    await previews.cluster().make(PreviewPlan(7))
    async with service(serving, database, previews) as api:
        assert (await answer(api, sent))[0] == status
        await asyncio.sleep(0.4)

    assert previews.databases() == ["app_pr_7"]


async def test_another_secret_is_refused(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """The signature is over the raw body, under our secret."""
    sent = body()
    async with service(serving, database, previews) as api:
        assert (await answer(api, sent, headers(sent, "guessed")))[0] == 401
        assert (await answer(api, sent + b" ", headers(sent)))[0] == 401


async def test_a_long_body_is_refused(
    database: str, previews: PreviewServer, serving: Serving
) -> None:
    """Before it is signed or read to its end, be its length told or not."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(1024)

    async with service(serving, database, previews, {**OURS, "body_bytes": 4096}) as api:
        told, problem = await answer(api, bytes(4097))
        async with api.post(URL, data=endless(), headers=headers(b"")) as got:
            untold = got.status

    assert (told, untold, problem["code"]) == (413, 413, "too_large")
    assert "plugins.preview-github.body_bytes" in problem["detail"]


async def test_a_ping_is_answered(database: str, previews: PreviewServer, serving: Serving) -> None:
    """GitHub sends one when the webhook is made; other events are passed over."""
    sent = b'{"zen": "Keep it logically awesome."}'
    async with service(serving, database, previews) as api:
        assert await answer(api, sent, headers(sent, X_GitHub_Event="ping")) == (
            202,
            {"status": "pong"},
        )
        assert await answer(api, sent, headers(sent, X_GitHub_Event="push")) == IGNORED

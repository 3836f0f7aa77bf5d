"""What a refusal looks like."""

import json
from typing import Any

import aiohttp


async def refused(answer: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    """Return the problem document of an answer."""
    text = await answer.text()
    assert (answer.status, answer.content_type) == (status, "application/problem+json"), text
    problem: dict[str, Any] = json.loads(text)
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem

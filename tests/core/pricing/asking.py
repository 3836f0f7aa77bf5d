"""Answers of a service over HTTP."""

import json
from typing import Any

from tests.core.pricing.documents import document
from tests.serving import Client

FLAT = {"kind": "energy.flat", "rate": "0.30"}
#: A tariff of one rate.
BODY = document([FLAT], "America/Sao_Paulo", "BRL")


async def answer_of(
    client: Client, method: str, path: str, body: object = None
) -> tuple[int, dict[str, Any]]:
    """Send a request, and return the status and the JSON of the answer."""
    async with client.request(method, path, json=body) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else {}


def pointers(problem: dict[str, Any]) -> dict[str, str]:
    """Return the codes of a problem's faults, by pointer."""
    return {fault["pointer"]: fault["code"] for fault in problem["errors"]}

"""Comparisons over HTTP."""

from tests.core.pricing.asking import BODY, FLAT, answer_of, pointers
from tests.core.pricing.documents import document
from tests.core.pricing.test_http_costs import USAGE
from tests.serving import Client


async def test_tariffs_are_compared(client: Client) -> None:
    """Stored and inline tariffs are ranked together; those that are unknown are all named."""
    await answer_of(
        client, "PUT", "/v1/tariffs/dear", document([FLAT | {"rate": "3"}], currency="BRL")
    )
    path, body = "/v1/costs/compare", {"usage": USAGE, "tariffs": ["dear", BODY]}

    status, found = await answer_of(client, "POST", path, body)
    refused, problem = await answer_of(client, "POST", path, body | {"tariffs": ["x", "dear", "y"]})

    assert status == 200
    keys = ("tariff", "total", "difference", "difference_percent")
    assert [tuple(one[key] for key in keys) for one in found["ranking"]] == [
        ("test", "0.53", "-4.72", "-89.9"),
        ("dear", "5.25", "0.00", "0.0"),
    ]
    assert refused == 422
    assert pointers(problem) == {"/tariffs/0": "unknown_tariff", "/tariffs/2": "unknown_tariff"}

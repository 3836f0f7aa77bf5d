"""The receiver in docs/how-to/webhooks.md, against what is sent."""

import re
from collections.abc import Callable
from typing import Any

import attrs

from energia.settings import Webhooks
from energia.time import DAY
from energia.webhooks.events import DATA
from energia.webhooks.signing import new_secret
from tests.core.billing.setting import issued
from tests.core.webhooks.receiver import Receiver, webhook
from tests.imports import ROOT
from tests.serving import Client

TEXT = (ROOT / "docs/how-to/webhooks.md").read_text(encoding="utf-8")


def receiver_of_the_docs() -> Callable[..., bool]:
    """Return the function that the page shows."""
    (code,) = re.findall(r"<!-- receiver -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    verified: Callable[..., bool] = names["verified"]
    return verified


async def test_the_receiver_of_the_docs_verifies(household: Client, receiver: Receiver) -> None:
    """It takes what is sent, and nothing that is changed, old or signed with another secret."""
    secret = (await webhook(household, receiver.url))["secret"]
    await issued(household, "b1", 1)
    await receiver.until(1)
    ((headers, body),) = receiver.got
    verified = receiver_of_the_docs()

    assert verified(headers, body, secret)
    assert not verified(headers, body + b" ", secret)
    assert not verified(headers, body, new_secret())
    assert not verified(headers, body, secret, tolerance=-1)


def test_the_page_tells_every_event() -> None:
    """Each has a line of the table; and the pauses are those of the settings."""
    told = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", TEXT, re.MULTILINE)

    assert {*told, "webhook.test"} == set(DATA)
    assert sum(Webhooks().pauses) > 3 * DAY
    assert attrs.asdict(Webhooks())["timeout"] == 15

"""Whatever clients and plugins send, the number of series is bounded."""

import re

from hypothesis import given
from hypothesis import strategies as st

from energia.metering.outcome import ReadingsRejected
from energia.plugins import Plugins
from energia_plugins.metrics_prometheus import Metrics
from energia_plugins.metrics_prometheus.requests import METHODS, OTHER, Few, method_of
from tests.serving import Client, Serving, make_core


async def series(client: Client) -> set[str]:
    """Return the series of the metrics that label by what came from outside."""
    async with client.get("/metrics") as answer:
        text = await answer.text()
    return set(re.findall(r"^((?:http|energia)_\w+(?:\{[^}]*\})?) ", text, re.MULTILINE))


async def test_requests_add_no_series(serving: Serving) -> None:
    """A thousand paths, methods and ids add what the first of their kind did, and no more."""
    plugins = Plugins.of(metrics_prometheus=Metrics)
    async with serving(make_core(plugins=plugins)) as client:

        async def fuzz(first: int, last: int) -> None:
            for at in range(first, last):
                for method in ("GET", f"M{at}", "POST"):
                    (await client.request(method, f"/{at}/{'x' * (at % 50)}")).release()
                    (await client.request(method, f"/health/live?q={at}")).release()
                (await client.get(f"/v1/meters/m{at}/readings?start={at}")).release()

        await fuzz(0, 2)
        before = await series(client)
        await fuzz(2, 150)

        assert await series(client) == before


async def test_fault_codes_are_bounded(serving: Serving) -> None:
    """A plugin that makes codes up adds the first ones and `other`; nothing is lost."""
    plugins = Plugins.of(metrics_prometheus=Metrics)
    async with serving(make_core(plugins=plugins)) as client:
        for at in range(1000):
            plugins.readings_rejected(ReadingsRejected("acme", {f"code_{at}": 2, "no name": 1}))
        async with client.get("/metrics") as answer:
            text = await answer.text()
    found = re.findall(r'^energia_readings_rejected_total\{reason="(\w+)"\} (\S+)', text, re.M)

    assert len(found) == 61
    assert OTHER in dict(found)
    assert sum(float(count) for _, count in found) == 3000


@given(st.lists(st.text()), st.integers(min_value=1, max_value=5))
def test_few(names: list[str], most: int) -> None:
    """There are at most so many labels, and one more; a name that is known stays itself."""
    few = Few(most)
    labels = [few.of(name) for name in names]

    assert len(set(labels) - {OTHER}) <= most
    assert [few.of(name) for name in names] == labels


@given(st.text())
def test_methods(name: str) -> None:
    """Any method is one of seven, or `_OTHER`."""
    assert method_of(name) in METHODS | {"_OTHER"}

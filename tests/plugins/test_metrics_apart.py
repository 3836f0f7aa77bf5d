"""Metrics of two services in one process."""

from energia.plugins import Plugins
from energia.settings import Settings
from energia_plugins.metrics_prometheus import Metrics
from tests.plugins.test_metrics_prometheus import scrape
from tests.serving import Serving, make_core


async def test_two_services_are_apart(serving: Serving) -> None:
    """Two services in one process have a registry each."""
    one, two = (make_core(plugins=Plugins.of(metrics_prometheus=Metrics)) for _ in range(2))
    async with serving(one) as first, serving(two) as second:
        (await first.get("/v1/formats")).release()
        count = "http_request_duration_seconds_count"

        assert (await scrape(first))(count, route="/v1/formats") == 1
        assert (await scrape(second))(count, route="/v1/formats") == 0


async def test_a_preview_tells_its_pull_request(serving: Serving) -> None:
    """The metrics of a preview are told apart by its number."""
    settings = Settings(profile="development", pull_request=42)
    async with serving(
        make_core(plugins=Plugins.of(metrics_prometheus=Metrics), settings=settings)
    ) as client:
        value = await scrape(client)

    assert value("energia_build_info", pr="42") == 1

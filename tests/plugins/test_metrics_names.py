"""Metric names that clash, with the metrics plugin and two that collect."""

import pytest
from prometheus_client import Gauge
from prometheus_client.registry import Collector

from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.web.app import create_app, started
from energia_plugins.metrics_prometheus import Metrics
from tests.plugins.test_metrics_prometheus import Greeter
from tests.serving import make_core


class Shadow:
    """A plugin whose metric is another one's but for the suffix."""

    @hookimpl
    def register_collectors(self) -> list[Collector]:
        """Return the collector."""
        return [Gauge("greetings_total", "The same name in the registry.", registry=None)]


async def test_a_clash_in_the_registry_names_the_plugin() -> None:
    """A metric that clashes only in the registry stops the start, and its plugin is named."""
    plugins = Plugins.of(metrics_prometheus=Metrics, greeter=Greeter(), shadow=Shadow())
    app = create_app(make_core(plugins=plugins))

    with pytest.raises(PluginError, match=r"plugin 'shadow': .*greetings"):
        async with started(app):
            pass

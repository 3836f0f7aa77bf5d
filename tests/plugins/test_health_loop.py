"""The probe of the event loop, with just its plugin."""

import time

import attrs

from energia.plugins import Plugins
from energia.settings import Health, Settings
from energia_plugins.health_loop import LoopHealth
from energia_plugins.health_loop import Settings as OfLoop
from tests.plugins.components import until
from tests.serving import Serving, make_core

SETTINGS = attrs.evolve(Settings(), health=Health(period=0.02))


async def test_lag(serving: Serving) -> None:
    """A loop that keeps up is well; one that was held up longer than allowed is not."""
    plugin = LoopHealth(OfLoop(warn_above=0.2))
    core = make_core(plugins=Plugins.of(health_loop=plugin), settings=SETTINGS)
    async with serving(core) as client:
        well = await until(client, "event-loop", lambda one: one.status == "pass")
        time.sleep(0.5)  # noqa: ASYNC251 - it is what is tested
        late = await until(client, "event-loop", lambda one: one.status == "warn")

    assert well.observed is not None
    assert (well.measurement, well.observed.unit) == ("lag", "ms")
    assert late.output == "the event loop was late by more than 0.2 s"
    assert late.observed is not None
    assert late.observed.value >= 200

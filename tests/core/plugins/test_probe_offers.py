"""What a probe may state about itself."""

from math import inf, nan
from typing import Any

import attrs
import pytest

from energia.core import Core
from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins


@attrs.frozen
class Probe:
    """A probe with times of its own."""

    timeout: object = 5
    period: object = 0.5
    component_type: object = "system"
    name: str = "broker"
    criticality: str = "degraded"

    async def check(self, _: Core) -> None:
        """Pass."""


@attrs.frozen
class ProbeOfOldShape:
    """A probe that is not handed the service."""

    name: str = "broker"
    criticality: str = "degraded"

    async def check(self) -> None:
        """Pass."""


@attrs.frozen
class ProbeOfFixedActivity(Probe):
    """A probe that does not ask the service whether there is anything to check."""

    active: bool = True


@attrs.frozen(eq=False)
class Offering:
    """A plugin with a probe."""

    probe: object

    @hookimpl
    def register_probes(self) -> list[object]:
        """Return the probe."""
        return [self.probe]


def test_a_probe_with_times_of_its_own() -> None:
    """A probe may state its time-out, its period and what it looks at."""
    (probe,) = Plugins.of(good=Offering(Probe())).probes()

    assert probe.name == "broker"


@pytest.mark.parametrize("name", ["timeout", "period"])
@pytest.mark.parametrize("seconds", [0, -1, "2", None, inf, nan])
def test_a_time_that_is_none(name: str, seconds: object) -> None:
    """A time is a number of seconds above 0."""
    given: dict[str, Any] = {name: seconds}
    probe = Probe(**given)

    with pytest.raises(PluginError, match=f"the `{name}` of a probe must be a number of seconds"):
        Plugins.of(bad=Offering(probe))


def test_an_unknown_type_of_component() -> None:
    """The types are those of the health format."""
    with pytest.raises(PluginError, match="must be one of component, datastore, system"):
        Plugins.of(bad=Offering(Probe(component_type="disk")))


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (ProbeOfOldShape(), r"must take the service: check\(core\)"),
        (ProbeOfFixedActivity(), r"that takes the service: active\(core\)"),
    ],
)
def test_a_probe_that_takes_no_service(probe: object, message: str) -> None:
    """A probe that could not be called as it is called stops the start, and not a check later."""
    with pytest.raises(PluginError, match=message):
        Plugins.of(bad=Offering(probe))

"""The part of the plugin for the type checker that does something beside requests."""

from collections.abc import Mapping
from typing import Any

import attrs

from energia import Core, GiveUp, Panel, Retry, Task, TryAgain, hookimpl
from tests.typing.panels import PANELS


@attrs.frozen
class Greeting:
    """A task that is deferred."""

    name: str = "acme-greeting"
    retry: Retry = attrs.Factory(lambda: Retry(first=5, tries=3))

    async def run(self, core: Core, arguments: Mapping[str, Any]) -> None:
        """Do it, now or later."""
        if "url" not in arguments:
            raise GiveUp("nobody to greet")
        if not core.state.closing:
            raise TryAgain("busy", after=60)


class Cleaning:
    """A task that is done again and again."""

    name = "acme-cleaning"
    period = 3600.0

    async def run(self, core: Core, _: Mapping[str, Any]) -> None:
        """Defer another one with a transaction."""
        async with core.pool.tenant().transaction() as queries:
            await core.jobs.defer("acme-greeting", {"url": "x"}, queries=queries, lock="a")


class Working:
    """A hook about tasks."""

    @hookimpl
    def register_tasks(self) -> list[Task]:
        """Offer both."""
        return [Greeting(), Cleaning()]

    @hookimpl
    def register_panels(self) -> list[Panel]:
        """Offer what the console shows."""
        return PANELS

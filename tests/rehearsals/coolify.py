"""A deployment as Coolify does it: the new container first, the old one when that is healthy."""

import asyncio
import json
import secrets
from typing import Final

import attrs

from tests.e2e.service import free_port
from tests.rehearsals.engine import Container, docker, run

#: Coolify's default, in seconds.
GRACE: Final = 30
#: The label that tells the containers of one platform from all others of the engine.
MARK: Final = "energia.rehearsal"


@attrs.frozen
class Check:
    """The flags of the image's health check, in seconds, as Coolify uses them."""

    start_period: float
    interval: float
    retries: int

    @classmethod
    def of(cls, image: str) -> "Check":
        """Ask the engine what the Dockerfile said."""
        form = "--format={{json .Config.Healthcheck}}"
        said = json.loads(docker("image", "inspect", form, image))
        return cls(said["StartPeriod"] / 1e9, said["Interval"] / 1e9, said["Retries"])


@attrs.frozen
class Platform:
    """Where releases of one service run.

    Attributes:
        image: The image of all of them.
        environ: Their environment.
        name: What tells them from other services of the engine.

    """

    image: str
    environ: dict[str, str]
    name: str = attrs.field(factory=lambda: secrets.token_hex(4))

    async def started(self) -> Container:
        """Start a release and wait for it; exits if it is not healthy in time."""
        port, check = free_port(), Check.of(self.image)
        labels = self._labels(port)
        container = await asyncio.to_thread(run, self.image, port, self.environ, *labels)
        await asyncio.sleep(check.start_period)
        for _ in range(check.retries):
            if await asyncio.to_thread(lambda: container.health) == "healthy":
                return container
            await asyncio.sleep(check.interval)
        container.show_log()
        raise SystemExit("the new container is not healthy: Coolify would keep the old one")

    async def switched(self, old: Container) -> Container:
        """Let a new release take over; exits if the old one ends with an error."""
        new = await self.started()
        _, code = await asyncio.to_thread(old.stop, GRACE)
        old.remove()
        if code:
            raise SystemExit(f"the old container ended with exit code {code}")
        return new

    def remove(self) -> None:
        """Remove every container, running or not."""
        for name in docker("ps", "--all", "--quiet", f"--filter=label={MARK}={self.name}").split():
            docker("rm", "--force", name)

    def _labels(self, port: int) -> list[str]:
        """Return Coolify's labels, one router and one service for all releases, and our mark."""
        router = "traefik.http.routers.http-0-energia"
        service = "traefik.http.services.http-0-energia"
        found = {
            MARK: self.name,
            "traefik.enable": "true",
            f"{router}.entryPoints": "http",
            f"{router}.rule": "PathPrefix(`/`)",
            f"{router}.service": "http-0-energia",
            f"{service}.loadbalancer.server.port": str(port),
        }
        return [f"--label={name}={value}" for name, value in found.items()]

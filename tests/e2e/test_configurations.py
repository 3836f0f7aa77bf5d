"""One installation, two configurations."""

from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.service import Service, serving

SMALL = """
[plugins]
enabled = ["tariff-flat", "meter-csv"]
"""


async def offered(service: Service) -> dict[str, Any]:
    """Return what a service offers to its clients."""
    async with aiohttp.ClientSession(service.url) as session:
        kinds = await (await session.get("/v1/charge-kinds")).json()
        formats = await (await session.get("/v1/formats")).json()
        document = await (await session.get("/openapi.json")).json()
        health = await (await session.get("/health")).json()
        metrics = await session.get("/metrics")
        sites = await (await session.get("/v1/sites")).json()
    return {
        "kinds": {kind["kind"] for kind in kinds["items"]},
        "formats": {found["name"] for found in formats["items"]},
        "paths": set(document["paths"]),
        "checks": set(health["checks"]),
        "metrics": metrics.status,
        "sites": [site["id"] for site in sites["items"]],
    }


async def test_configuration_alone_decides(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    """Two processes of one installation serve other tariffs, probes, routes, metrics and data."""
    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    site = {"name": "Home", "timezone": "Europe/London", "country": "GB", "currency": "GBP"}
    async with (
        serving(database) as full,
        serving(empty_database, ENERGIA_CONFIG=str(file)) as small,
    ):
        async with (
            aiohttp.ClientSession(full.url) as session,
            session.put("/v1/sites/only-here", json=site) as answer,
        ):
            assert answer.status == 201
        of_full, of_small = await offered(full), await offered(small)

    assert of_full["kinds"] > {"energy.flat", "energy.time_of_use", "fixed"}
    assert of_small["kinds"] == {"energy.flat"}
    assert of_full["formats"] == {
        *("csv", "excel", "ndjson"),
        *("dsmr", "green_button", "home_assistant", "mscons", "nem12", "octopus"),
    }
    assert of_small["formats"] == {"csv", "excel"}
    assert {"/metrics", "/docs"} <= of_full["paths"]
    assert "/metrics" not in of_small["paths"]
    assert "database:responseTime" in of_full["checks"]
    assert of_small["checks"] == {"jobs:due", "webhooks:waiting"}  # those of the core
    assert (of_full["metrics"], of_small["metrics"]) == (200, 404)
    assert (of_full["sites"], of_small["sites"]) == (["only-here"], [])

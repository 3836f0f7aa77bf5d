"""Roles with names of their own: registers that are charged by themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from energia.pricing.tariffs import Tariff
from tests.core.pricing.asking import answer_of
from tests.core.pricing.documents import CONVERTER, document, faults
from tests.serving import Client

CONTROLLED = {"kind": "energy.flat", "code": "cl", "channel": "import.controlled", "rate": "0.18"}
GENERAL = {"kind": "energy.flat", "code": "g", "rate": "0.32"}


def usage(start: str, interval: str, **channels: Sequence[float]) -> dict[str, Any]:
    """Return usage that comes along, by role (a dot is written as two underscores)."""
    return {
        "timezone": "UTC",
        "interval": interval,
        "channels": {
            role.replace("__", "."): {"start": start, "values": list(values)}
            for role, values in channels.items()
        },
    }


async def cost(
    client: Client, charges: Sequence[Mapping[str, Any]], sent: Mapping[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Return the answer to what the usage costs."""
    body = {"tariff": document(charges), "usage": sent}
    return await answer_of(client, "POST", "/v1/costs", body)


async def test_a_second_register_has_a_price_of_its_own(alone: Client) -> None:
    """24 kWh at 0.32 and 10 kWh of controlled load at 0.18 are 9.48 (case r01)."""
    readings = {"import": [0.5] * 48, "import__controlled": [1.0] * 10 + [0.0] * 38}
    sent = usage("2026-01-01T00:00:00Z", "PT30M", **readings)

    status, found = await cost(alone, [GENERAL, CONTROLLED], sent)

    assert (status, found["total"]) == (200, "9.48")


async def test_generation_is_paid_beside_import_and_export(alone: Client) -> None:
    """0.25 - 2 x 0.05 - 3 x 0.291 is -0.72 (case r02)."""
    charges = [
        {"kind": "energy.flat", "code": "i", "rate": "0.25"},
        {"kind": "energy.flat", "code": "x", "channel": "export", "rate": "-0.05"},
        {"kind": "energy.flat", "code": "gen", "channel": "generation", "rate": "-0.291"},
    ]
    sent = usage(
        "2026-06-01T12:00:00Z", "PT1H", **{"import": [1], "export": [2], "generation": [3]}
    )

    status, found = await cost(alone, charges, sent)

    assert (status, found["total"]) == (200, "-0.72")


async def test_a_register_that_the_usage_lacks_is_refused_with_a_suggestion(alone: Client) -> None:
    """A slip on either side does not charge nothing."""
    sent = usage("2026-01-01T00:00:00Z", "PT1H", **{"import": [1], "import__controled": [1]})

    status, problem = await cost(alone, [GENERAL, CONTROLLED], sent)

    assert (status, problem["errors"][0]["code"]) == (422, "missing_channel")
    assert "(did you mean 'import.controled'?)" in problem["errors"][0]["message"]


@pytest.mark.parametrize(
    ("role", "code"),
    [
        ("imports", "unknown_role"),
        ("exprot", "unknown_role"),
        ("inport.controlled", "unknown_role"),
        ("gas_volumes.import", "unknown_role"),
        ("gas_volume.imports.t2", "unknown_role"),
        ("gas_volume", "unknown_role"),
        ("active_energy.import", "unknown_role"),
        ("Import", "bad_pattern"),
        ("import.", "bad_pattern"),
    ],
)
def test_a_role_that_is_misspelt_is_refused(role: str, code: str) -> None:
    """When the tariff is read: what is near a usual role is not a register of its own."""
    wrong = document([{**GENERAL, "channel": role}])

    assert faults(lambda: CONVERTER.structure(wrong, Tariff)) == {
        "/versions/0/charges/0/channel": code
    }


async def test_a_register_is_in_the_unit_of_its_quantity(alone: Client) -> None:
    """Gas of a second meter is in m3."""
    charges = [{**GENERAL, "channel": "gas_volume.import.kitchen"}]
    sent = usage("2026-01-01T00:00:00Z", "PT1H", gas_volume__import__kitchen=[2])
    sent["channels"]["gas_volume.import.kitchen"]["unit"] = "m3"

    status, found = await cost(alone, charges, sent)

    assert (status, found["lines"][0]["unit"], found["total"]) == (200, "m3", "0.64")

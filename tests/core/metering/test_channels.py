"""Which channels a meter may have."""

from typing import Any

import attrs
import pytest

from energia import convert
from energia.db.pool import Tenant
from energia.errors import Invalid, NotSupported
from energia.metering import registry
from energia.metering.models import NewMeter
from tests.core.metering.test_registry import CHANNEL, NOW, SITE


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"unit": "m3"}, "wrong_unit", "/channels/0/unit"),
        ({"unit": "kW"}, "wrong_unit", "/channels/0/unit"),
        ({"interval": "PT7M"}, "wrong_interval", "/channels/0/interval"),
        ({"interval": "PT0S"}, "wrong_interval", "/channels/0/interval"),
        ({"interval": "quarter"}, "wrong_interval", "/channels/0/interval"),
        ({"offset": "PT15M"}, "wrong_offset", "/channels/0/offset"),
        ({"offset": "x"}, "wrong_offset", "/channels/0/offset"),
        ({"kind": "register"}, "not_supported", "/channels/0/kind"),
        ({"interval": "P1D"}, "not_supported", "/channels/0/interval"),
        ({"interval": "PT2H"}, "not_supported", "/channels/0/interval"),
        ({"multiplier": "40"}, "not_supported", "/channels/0/multiplier"),
    ],
)
async def test_impossible_channels(
    tenant: Tenant, change: dict[str, Any], code: str, pointer: str
) -> None:
    """What does not fit is refused, and what is to come is `not_supported`."""
    await registry.put_site(tenant, "s", SITE)
    sent = {"site": "s", "channels": [convert.unstructure(CHANNEL) | change]}

    with pytest.raises(Invalid) as caught:
        convert.structure(sent, NewMeter)

    assert [(fault.code, fault.pointer) for fault in caught.value.faults] == [(code, pointer)]
    assert isinstance(caught.value, NotSupported) == (code == "not_supported")


@pytest.mark.parametrize("change", [{"interval": "PT7M"}, {"unit": "kW"}, {"offset": "x"}])
async def test_impossible_channels_made_in_python(tenant: Tenant, change: dict[str, Any]) -> None:
    """What is built without the converter is refused when it is stored."""
    await registry.put_site(tenant, "s", SITE)

    with pytest.raises(Invalid) as caught:
        await registry.put_meter(
            tenant, "m", NewMeter("s", (attrs.evolve(CHANNEL, **change),)), NOW
        )

    assert [fault.pointer for fault in caught.value.faults] == [f"/channels/0/{next(iter(change))}"]


def test_a_meter_with_many_faults() -> None:
    """All faults of all channels are found at once, those between fields and channels too."""
    good = convert.unstructure(CHANNEL)
    channels = [
        good | {"digits": "x", "kind": "register", "unit": "m3", "interval": "P1D"},
        good | {"offset": "PT20M", "multiplier": "2"},
    ]

    with pytest.raises(Invalid) as caught:
        convert.structure({"site": "a b", "channels": channels}, NewMeter)

    assert {fault.pointer: fault.code for fault in caught.value.faults} == {
        "/site": "bad_pattern",
        "/channels/0/id": "duplicate_id",
        "/channels/0/digits": "wrong_type",
        "/channels/0/kind": "not_supported",
        "/channels/0/unit": "wrong_unit",
        "/channels/0/interval": "not_supported",
        "/channels/1/id": "duplicate_id",
        "/channels/1/offset": "wrong_offset",
        "/channels/1/multiplier": "not_supported",
    }


async def test_a_multiplier_of_one_changes_nothing(tenant: Tenant) -> None:
    """Values that are multiplied by one are multiplied already."""
    await registry.put_site(tenant, "s", SITE)
    sent = {"site": "s", "channels": [convert.unstructure(CHANNEL) | {"multiplier": "1"}]}

    made, _ = await registry.put_meter(tenant, "m", convert.structure(sent, NewMeter), NOW)

    assert made.channels[0].multiplier == 1

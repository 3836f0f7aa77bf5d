"""Sites, meters and channels in the database, and which there may be."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from energia import convert
from energia.db.pool import Tenant
from energia.errors import Conflict, InUse, Invalid, NotFound
from energia.metering import registry
from energia.metering.models import Channel, NewChannel, NewMeter, NewSite
from tests.core.metering.setting import meter, post, series

NOW = datetime(2026, 7, 1, tzinfo=UTC)
SITE = NewSite("Home", "Europe/London", "GB", "GBP")
CHANNEL = NewChannel("import", "active_energy", "import", "kWh", "PT15M", "PT0S")
METER = NewMeter("s", (CHANNEL,))


async def test_sites(tenant: Tenant) -> None:
    """A site is made, listed, replaced and deleted."""
    made, created = await registry.put_site(tenant, "s", SITE)
    replaced = await registry.put_site(tenant, "s", attrs.evolve(SITE, name="Other"))

    assert (created, replaced) == (True, (attrs.evolve(made, name="Other"), False))
    assert await registry.sites(tenant, "", 10) == [replaced[0]]
    assert await registry.sites(tenant, "s", 10) == []
    await registry.delete_site(tenant, "s")
    with pytest.raises(NotFound):
        await registry.site(tenant, "s")
    with pytest.raises(NotFound):
        await registry.delete_site(tenant, "s")


async def test_added_sites_get_an_id(tenant: Tenant) -> None:
    """Without an id the server makes one that sorts by time; an id is a conflict for another."""
    (first, _), (second, _) = [await registry.add_site(tenant, SITE) for _ in range(2)]

    assert first.id < second.id
    with pytest.raises(Conflict):
        await registry.add_site(tenant, attrs.evolve(SITE, id=first.id, name="Other"))
    with pytest.raises(Invalid):
        await registry.put_site(tenant, "other", attrs.evolve(SITE, id=first.id))


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"timezone": "Mars/Base"}, ["unknown_timezone"]),
        ({"timezone": "+01:00"}, ["unknown_timezone"]),
        ({"country": "ZZ"}, ["unknown_country"]),
        ({"currency": "XQX"}, ["unknown_currency"]),
        ({"timezone": "", "country": "UK"}, ["unknown_timezone", "unknown_country"]),
    ],
)
async def test_impossible_sites(tenant: Tenant, change: dict[str, str], codes: list[str]) -> None:
    """Zones and countries exist."""
    with pytest.raises(Invalid) as caught:
        await registry.put_site(tenant, "s", attrs.evolve(SITE, **change))

    assert [fault.code for fault in caught.value.faults] == codes


async def test_meters(tenant: Tenant) -> None:
    """A meter is made with its channels in order, replaced, listed and deleted."""
    await registry.put_site(tenant, "s", SITE)
    export = attrs.evolve(CHANNEL, id="export", direction="export", max_power=Decimal("3.50"))
    made, created = await registry.put_meter(
        tenant, "m", NewMeter("s", (export, CHANNEL), "Main", "123"), NOW
    )

    assert created
    assert [channel.id for channel in made.channels] == ["export", "import"]
    assert made.channels == (export, CHANNEL)
    assert await registry.meter(tenant, "m") == made
    assert await registry.meters(tenant, "", 10) == [made]
    with pytest.raises(InUse):
        await registry.delete_site(tenant, "s")
    await registry.delete_meter(tenant, "m")
    with pytest.raises(NotFound):
        await registry.meter(tenant, "m")
    with pytest.raises(NotFound):
        await registry.channels(tenant, "m")


@pytest.mark.parametrize(
    ("zone", "interval", "offset"),
    [
        ("Asia/Kathmandu", "PT1H", "PT15M"),
        ("Asia/Kathmandu", "PT15M", "PT0S"),
        ("Asia/Kolkata", "PT1H", "PT30M"),
        ("Australia/Lord_Howe", "PT1H", "PT30M"),
        ("Europe/London", "PT1H", "PT0S"),
        ("America/St_Johns", "PT1H", "PT30M"),
    ],
)
async def test_default_offset(tenant: Tenant, zone: str, interval: str, offset: str) -> None:
    """Without one, the grid is shifted by the zone's standard offset modulo the interval."""
    await registry.put_site(tenant, "s", attrs.evolve(SITE, timezone=zone))

    made, _ = await registry.add_meter(
        tenant, NewMeter("s", (attrs.evolve(CHANNEL, interval=interval, offset=None),)), NOW
    )

    assert made.channels[0].offset == offset


async def test_unknown_site_and_double_channels(tenant: Tenant) -> None:
    """A meter needs a site, and its channels different ids."""
    with pytest.raises(Invalid) as unknown:
        await registry.put_meter(tenant, "m", METER, NOW)
    with pytest.raises(Invalid) as double:
        await registry.put_meter(tenant, "m", NewMeter("s", (CHANNEL, CHANNEL)), NOW)

    assert unknown.value.faults[0].code == "unknown_site"
    assert [fault.code for fault in double.value.faults] == ["duplicate_id"] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"interval": "PT30M"},
        {"offset": "PT5M"},
        {"quantity": "heat"},
        {"direction": "export"},
        {"id": "other"},
    ],
)
async def test_channels_with_readings_keep_their_meaning(
    tenant: Tenant, change: dict[str, str]
) -> None:
    """Before there are readings anything can change; afterwards the grid and quantity cannot."""
    await registry.put_site(tenant, "s", SITE)
    await registry.put_meter(tenant, "m", METER, NOW)
    other = NewMeter("s", (attrs.evolve(CHANNEL, **change),))  # type: ignore[arg-type]
    await registry.put_meter(tenant, "m", other, NOW)
    await registry.put_meter(tenant, "m", METER, NOW)
    await post(tenant, series([1], interval="PT15M"))

    with pytest.raises(InUse, match="such a channel stays, and so do its interval") as refused:
        await registry.put_meter(tenant, "m", other, NOW)
    with pytest.raises(InUse):
        await registry.delete_meter(tenant, "m")
    assert [fault.pointer for fault in refused.value.faults] == ["/channels"]

    renamed = NewMeter("s", (attrs.evolve(CHANNEL, unit="Wh"),), "New name")
    assert (await registry.put_meter(tenant, "m", renamed, NOW))[1] is False


async def test_replacing_keeps_channels_by_id(tenant: Tenant) -> None:
    """A replaced meter has the same channels in the database, and a default offset stays."""
    await registry.put_site(tenant, "s", SITE)
    hourly = NewMeter("s", (attrs.evolve(CHANNEL, interval="PT1H", offset=None),))
    await registry.put_meter(tenant, "m", hourly, NOW)
    before = await registry.channels(tenant, "m")
    await registry.put_site(tenant, "s", attrs.evolve(SITE, timezone="Asia/Kolkata"))

    await registry.put_meter(tenant, "m", hourly, NOW)

    assert await registry.channels(tenant, "m") == before


async def test_organizations_are_apart(tenant: Tenant) -> None:
    """Another organization sees nothing of it."""
    await meter(tenant)
    other = Tenant(tenant._pool, 2)

    assert await registry.sites(other, "", 10) == []
    assert await registry.meters(other, "", 10) == []
    with pytest.raises(NotFound):
        await registry.meter(other, "m")
    with pytest.raises(Invalid):
        await post(other, series([1]))


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
        ({"kind": "irregular"}, "wrong_interval", "/channels/0/interval"),
        ({"interval": None, "offset": None}, "missing_field", "/channels/0/interval"),
        ({"interval": "P1D"}, "wrong_interval", "/channels/0/interval"),
        ({"interval": "PT2H"}, "wrong_interval", "/channels/0/interval"),
        ({"multiplier": "40"}, "wrong_multiplier", "/channels/0/multiplier"),
    ],
)
async def test_impossible_channels(
    tenant: Tenant, change: dict[str, Any], code: str, pointer: str
) -> None:
    """What does not fit is refused."""
    await registry.put_site(tenant, "s", SITE)
    sent = {"site": "s", "channels": [convert.unstructure(CHANNEL) | change]}

    with pytest.raises(Invalid) as caught:
        convert.structure(sent, NewMeter)

    assert [(fault.code, fault.pointer) for fault in caught.value.faults] == [(code, pointer)]


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
        "/channels/0/unit": "wrong_unit",
        "/channels/0/interval": "wrong_interval",
        "/channels/1/id": "duplicate_id",
        "/channels/1/offset": "wrong_offset",
        "/channels/1/multiplier": "wrong_multiplier",
    }


def test_channels_are_told_apart_by_the_digits_of_their_numbers() -> None:
    """Channels that are alike are declared once, but 1 and 1.0 are not the same answer."""
    grid = ("active_energy", "import", "kWh", 900, 0)
    channels = [
        Channel(0, "m", "a", *grid, "register", None, Decimal(each)) for each in ("1", "1.0", "1")
    ]

    assert [str(each.declaration().multiplier) for each in channels] == ["1", "1.0", "1"]


async def test_a_multiplier_of_one_changes_nothing(tenant: Tenant) -> None:
    """Values that are multiplied by one are multiplied already."""
    await registry.put_site(tenant, "s", SITE)
    sent = {"site": "s", "channels": [convert.unstructure(CHANNEL) | {"multiplier": "1"}]}

    made, _ = await registry.put_meter(tenant, "m", convert.structure(sent, NewMeter), NOW)

    assert made.channels[0].multiplier == 1

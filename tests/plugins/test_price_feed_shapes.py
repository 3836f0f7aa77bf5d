"""Price feeds read every shape of JSON by configuration alone."""

import json
import re
import tomllib
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from energia import Delivery, FeedFailed, PricePoint
from energia.configuration.loading import load
from energia.configuration.values import structure
from energia.convert import parse
from energia.plugins import Plugins
from energia.settings import PluginSelection
from energia_plugins.price_feed_http.settings import Settings
from tests.imports import ROOT
from tests.plugins.sources import NOW, SHAPE, Read, settings, utc

DATA = ROOT / "tests/data/prices"
ROWS = [{"t": "2026-03-02T00:00:00", "p": 61.2}, {"t": "2026-03-02T01:00:00", "p": "58.94"}]
ESIOS: dict[str, Any] = {
    "items": "indicator.values",
    "start": "datetime",
    "price": "value",
    "where": {"geo_id": "8741"},
    "interval": "PT1H",
    "timezone": "Europe/Madrid",
}
#: The archive of the PVPC: a date and the label of the hour, which twice a year skips or repeats.
PVPC: dict[str, Any] = {
    "items": "PVPC",
    "start": "Dia",
    "price": "PCB",
    "times": "consecutive %d/%m/%Y",
    "decimal_comma": True,
    "interval": "PT1H",
    "timezone": "Europe/Madrid",
}


def points(delivery: Delivery) -> list[tuple[str, str]]:
    """Return the starts, in UTC, and the prices of a delivery."""
    assert isinstance(delivery.prices, tuple)
    starts = (one.start.astimezone(UTC) for one in delivery.prices)
    prices = (str(one.price) for one in delivery.prices)
    return [(f"{start:%m-%dT%H:%M}", price) for start, price in zip(starts, prices, strict=True)]


def file(name: str) -> Any:
    """Return a file of the shared data, numbers as they are written."""
    return json.loads((DATA / name).read_text())


async def test_a_day_of_25_hours_of_esios(read: Read) -> None:
    """One of five areas; the second 2 o'clock is an hour after the first."""
    found = points(await read(file("PRICES_ESIOS_1001_2021_10_31.json"), **ESIOS))

    assert len(found) == 25
    assert found[2:4] == [("10-31T00:00", "109.55"), ("10-31T01:00", "104.85")]
    assert found[-1][0] == "10-31T22:00"


async def test_a_day_of_23_hours_of_the_archive(read: Read) -> None:
    """Hours follow one another from midnight, whatever they are called; commas are points."""
    found = points(await read(file("PVPC_CURV_DD_2022_03_27.json"), **PVPC))

    assert len(found) == 23
    assert found[:3] == [
        ("03-26T23:00", "171.48"), ("03-27T00:00", "123.90"), ("03-27T01:00", "104.85")
    ]  # fmt: skip
    assert found[-1] == ("03-27T21:00", "152.39")


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        (  # like Nord Pool's data portal
            {
                "multiAreaEntries": [
                    {
                        "deliveryStart": "2026-03-01T23:00:00Z",
                        "deliveryEnd": "2026-03-01T23:15:00Z",
                        "entryPerArea": {"ES": 61.2, "PT": 1},
                    },
                    {
                        "deliveryStart": "2026-03-01T23:15:00Z",
                        "deliveryEnd": "2026-03-01T23:30:00Z",
                        "entryPerArea": {"ES": -0.5},
                    },
                ]
            },
            {
                "items": "multiAreaEntries",
                "start": "deliveryStart",
                "end": "deliveryEnd",
                "price": "entryPerArea.ES",
            },
        ),
        (  # like Energi Data Service
            {
                "records": [
                    {"HourUTC": "2026-03-01T23:00:00", "SpotPriceEUR": 61.2},
                    {"HourUTC": "2026-03-01T23:15:00", "SpotPriceEUR": -0.5},
                ]
            },
            {"items": "records", "start": "HourUTC", "price": "SpotPriceEUR", "interval": "PT15M"},
        ),
        (  # like aWATTar
            {
                "data": [
                    {
                        "start_timestamp": 1772406000000,
                        "end_timestamp": 1772406900000,
                        "marketprice": 61.2,
                    },
                    {
                        "start_timestamp": 1772406900000,
                        "end_timestamp": 1772407800000,
                        "marketprice": -0.5,
                    },
                ]
            },
            {
                "items": "data",
                "start": "start_timestamp",
                "end": "end_timestamp",
                "price": "marketprice",
                "times": "epoch_ms",
            },
        ),
        (  # like Energy-Charts: columns
            {"unix_seconds": [1772406000, 1772406900], "price": [61.2, -0.5]},
            {"start": "unix_seconds", "price": "price", "times": "epoch", "interval": "PT15M"},
        ),
        (  # a bare list of texts with a format
            [
                {"when": "02/03/2026 00:00", "eur": "61,2"},
                {"when": "02/03/2026 00:15", "eur": "-0,5"},
            ],
            {
                "start": "when",
                "price": "eur",
                "times": "%d/%m/%Y %H:%M",
                "decimal_comma": True,
                "interval": "PT15M",
                "timezone": "Europe/Madrid",
            },
        ),
    ],
)
async def test_shapes_of_other_sources(document: Any, shape: dict[str, Any], read: Read) -> None:
    """The same two quarters, exactly, from each."""
    found = await read(document, **shape)

    assert points(found) == [("03-01T23:00", "61.2"), ("03-01T23:15", "-0.5")]
    assert isinstance(found.prices, tuple)
    first: PricePoint = found.prices[0]
    assert first.end == utc("2026-03-01T23:15:00+00:00")


async def test_prices_that_are_not_there_yet_are_left_out(read: Read) -> None:
    """Null is no price."""
    rows = [*ROWS, {"t": "2026-03-02T02:00:00", "p": None}]

    assert len(points(await read(rows, **SHAPE))) == 2


async def test_a_naive_time_that_comes_twice_follows_the_one_before(
    read: Read,
) -> None:
    """In Madrid, 02:00 and 02:30 come twice on October 25, 2026."""
    times = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    rows = [{"t": f"2026-10-25T{time}:00", "p": 1} for time in times]

    found = points(await read(rows, **{**SHAPE, "interval": "PT30M"}))

    assert [time for time, _ in found] == [
        *("10-24T23:30", "10-25T00:00", "10-25T00:30"),
        *("10-25T01:00", "10-25T01:30", "10-25T02:00"),
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"rows": []}, "there is no list at ''"),
        ([{"t": "soon", "p": 1}], "price 0: Invalid isoformat string: 'soon'"),
        ([{"t": "2026-03-29T02:30:00", "p": 1}], "does not exist in Europe/Madrid"),
        ([{"t": "2026-03-02T00:00:00.5", "p": 1}], "not on a whole second"),
        ([{"t": "2026-03-02T00:00:00", "p": "much"}], "price 0: expected a decimal number"),
        ([{"t": "2026-03-02T00:00:00", "q": 1}], "price 0: there is no 'p'"),
        ([{"t": "2026-03-02T00:00:00", "p": True}], "price 0: expected a decimal number"),
    ],
)
async def test_documents_that_cannot_be_read(document: Any, reason: str, read: Read) -> None:
    """The reason tells which price, and why."""
    with pytest.raises(FeedFailed) as failed:
        await read(document, **SHAPE)

    assert reason in failed.value.reason


def test_prices_stay_exact() -> None:
    """A number of JSON is a decimal, never a float."""
    shape = settings("http://x/", shape={"interval": "PT1H"}).shape
    (point,) = shape.points(parse(b'[{"start": "2026-03-02T00:00:00Z", "price": 0.1}]'))

    assert point.price == Decimal("0.1")


def test_the_examples_of_the_documentation_are_settings() -> None:
    """Every table of price-feeds.md loads, as it is written, and together they are feeds."""
    text = (ROOT / "docs/how-to/price-feeds.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    tables = tomllib.loads("\n".join(blocks), parse_float=Decimal)["plugins"]

    plugins = Plugins.installed(
        PluginSelection(enabled=("price-feed-file", "price-feed-http"), settings=tables)
    )

    names = {"spot_es", "pvpc", "pvpc_archive"}
    assert {feed.name for feed in plugins.price_feeds()} == names


def test_a_token_may_come_from_the_environment() -> None:
    """It is put into its place in the URL, and shown nowhere."""
    prefix = "ENERGIA_PLUGINS__PRICE_FEED_HTTP__FEEDS__PVPC"
    environ = {
        f"{prefix}__URL": "http://x/?k={token}",
        f"{prefix}__CURRENCY": "EUR",
        f"{prefix}__TOKEN": "hush",
    }
    tables = load(environ=environ).settings.plugins.settings["price-feed-http"]

    made = structure(tables, Settings, "plugins.price-feed-http").feeds["pvpc"]

    assert made.address(utc(NOW), utc(NOW)) == "http://x/?k=hush"
    assert "hush" not in repr(made)

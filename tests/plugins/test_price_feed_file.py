"""Price feeds from files."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from energia import Delivery, FeedFailed, FeedRequest
from energia.configuration.values import structure
from energia.plugins import Plugins
from energia.settings import PluginSelection
from energia_plugins.price_feed_file import Feed, Settings
from tests.imports import ROOT

SHAPE = {"start": "from", "end": "to", "price": "eur", "timezone": "Europe/Madrid"}
CSV = "from;to;eur\n2026-03-02T00:00:00;2026-03-02T01:00:00;61,20\n"


def feed(path: Path, **more: Any) -> Feed:
    """Return a feed of a file."""
    table = {"currency": "EUR", "path": str(path), **more}
    found = structure({"feeds": {"spot": table}}, Settings, "plugins.price-feed-file")
    return Feed("spot", found.feeds["spot"])


async def fetched(of: Feed, memo: Any = None) -> Delivery:
    """Let a feed fetch."""
    return await of.fetch(FeedRequest(datetime(2026, 3, 2, tzinfo=UTC), None, memo or {}))


async def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    """With its own delimiter and decimal comma, and times of a zone."""
    path = tmp_path / "prices.csv"
    path.write_text(CSV)

    found = await fetched(feed(path, delimiter=";", shape={**SHAPE, "decimal_comma": True}))

    assert isinstance(found.prices, tuple)
    (one,) = found.prices
    assert str(one.price) == "61.20"
    assert one.start.astimezone(UTC) == datetime(2026, 3, 1, 23, tzinfo=UTC)


async def test_a_json_file_is_read_by_paths(tmp_path: Path) -> None:
    """As an answer of a web service is: a real file of ESIOS."""
    path = ROOT / "tests/data/prices/PRICES_ESIOS_1001_2021_10_31.json"
    shape = {
        "items": "indicator.values",
        "start": "datetime",
        "price": "value",
        "where": {"geo_name": "Canarias"},
        "interval": "PT1H",
    }

    found = await fetched(feed(path, shape=shape))

    assert isinstance(found.prices, tuple)
    assert len(found.prices) == 25


async def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    """Not else."""
    path = tmp_path / "prices.csv"
    path.write_text(CSV)
    of = feed(path, delimiter=";", shape={**SHAPE, "decimal_comma": True})

    first = await fetched(of)
    second = await fetched(of, first.memo)
    path.write_text(CSV.replace("61,20", "70,00"))
    os.utime(path, (1, 1))
    third = await fetched(of, first.memo)

    assert second.prices is None
    assert isinstance(third.prices, tuple)
    assert str(third.prices[0].price) == "70.00"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff\xfe", "cannot be read"),
        (b"from;to\n2026-03-02;", "price 0"),
        (b"x" * 200, "over file_bytes (100)"),
    ],
)
async def test_files_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """The feed fails, and is asked again."""
    path = tmp_path / "prices.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(FeedFailed) as failed:
        await fetched(feed(path, delimiter=";", shape=SHAPE, file_bytes=100))

    assert reason in failed.value.reason


def test_a_feed_for_each_table(tmp_path: Path) -> None:
    """`register_price_feeds` offers what the configuration names."""
    own = {"price-feed-file": {"feeds": {"spot": {"currency": "EUR", "path": "x.csv"}}}}
    plugins = Plugins.installed(PluginSelection(enabled=("price-feed-file",), settings=own))

    assert [one.name for one in plugins.price_feeds()] == ["spot"]

"""The documentation page, in a real browser."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

#: What keeps a browser to itself, and lets it run as root.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
)


async def dom(url: str, folder: Path) -> str:
    """Return the page at *url* as a browser has it once its scripts have run."""
    process = await asyncio.create_subprocess_exec(
        "chromium",
        *FLAGS,
        f"--user-data-dir={folder}",
        f"--log-net-log={folder / 'net.json'}",
        "--dump-dom",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 150)
    finally:
        if process.returncode is None:
            process.kill()
    return out.decode()


def requested(log: Path, origin: str) -> set[str]:
    """Return the URLs that pages of *origin* asked for, from the browser's own log."""
    events: list[dict[str, Any]] = json.loads(log.read_text())["events"]
    asked = [event.get("params", {}) for event in events]
    return {
        one["url"]
        for one in asked
        if "url" in one and (one.get("initiator") == origin or one["url"].startswith(origin))
    }


@pytest.mark.needs("chromium")
async def test_the_page_lists_the_operations(
    url: str, api: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Every operation is listed under its heading, in the document's order; events come last."""
    async with api.get("/openapi.json") as answer:
        document = await answer.json()

    page = await dom(f"{url}/docs", tmp_path)

    headings = re.findall(r'<h3[^>]*data-tag="([^"]+)"', page)
    assert headings == [tag["name"] for tag in document["tags"]]
    assert re.findall(r'id="operations-(?!tag-)\w+-(\w+)"', page) == [
        operation["operationId"]
        for tag in headings
        for operations in document["paths"].values()
        for operation in operations.values()
        if operation["tags"] == [tag]
    ] + [event["post"]["operationId"] for event in document["webhooks"].values()]
    assert re.search(r'<button class="btn authorize', page)
    # From here alone.
    urls = requested(tmp_path / "net.json", url)
    assert f"{url}/openapi.json" in urls
    assert [one for one in urls if not one.startswith((f"{url}/", "data:"))] == []


@pytest.mark.long
@pytest.mark.needs("chromium")
async def test_an_operation_shows_its_example(url: str, tmp_path: Path) -> None:
    """A link to an operation opens it, with a complete request to copy."""
    page = await dom(f"{url}/docs#/Tariffs/put_tariff", tmp_path)

    text = re.sub(r"<[^>]+>", "", page)
    assert "Tarifa branca: three periods on working days" in text
    assert "fora_ponta" in text
    assert 'value="branca"' in page

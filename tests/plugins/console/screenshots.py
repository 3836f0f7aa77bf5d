"""Pictures of every page of the console, with the data of two customers.

    python -m tests.plugins.console.screenshots [--only bills] [--language pt-BR]

Each page is shown at 390 and 1,280 px, in light and dark, in `build/screenshots`; the list of pages
is that of the routes, so none is forgotten. Some are chosen for the documentation, small, in
`docs/pictures`. Exit code 1 where a page is not drawn, or not as a test would have it.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
import attrs
from playwright.async_api import Browser, FilePayload, Page

from energia.db.connect import connected
from energia.settings import Database
from energia_plugins.console.pages import routes_of
from energia_plugins.console.settings import Settings
from tests.e2e.service import environment, serving, token
from tests.imports import ROOT
from tests.plugins.console import customers
from tests.plugins.console.browser import SCHEMES, Scheme, Tab, chromium, tab_of
from tests.plugins.console.palette import with_palette

_PICTURES: Final = ROOT / "docs/pictures"
_WIDTHS: Final = (390, 1280)
#: How many bytes a picture of the documentation may have.
SMALL: Final = 120_000
_PART: Final = re.compile(r"\{(\w+)\}")


@attrs.frozen
class Chosen:
    """A picture of the documentation.

    Attributes:
        name: What it is called in `docs/pictures`.
        path: The page, as a route has it, or one of `MORE`.
        language: In which it is shown.
        height: How much of it, in pixels.

    """

    name: str
    path: str
    language: str = "en"
    height: int = 900


#: What pages are, too, when they are asked for more.
MORE: Final = (
    "/console?site={site}",
    "/console?site=demo-home",
    "/console/bills/{bill}?why=0",
    "/console/meters/demo-meter",
    "/console/tariffs/{home_tariff}",
)
CHOSEN: Final = (
    Chosen("console-overview", "/console?site={site}"),
    Chosen("console-visao-geral", "/console?site={site}", "pt-BR"),
    Chosen("console-meter", "/console/meters/{meter}"),
    Chosen("console-bill", "/console/bills/{bill}?why=0"),
)


def pages() -> list[str]:
    """Return the paths of all pages, as their routes have them, and `MORE`."""
    shown = [
        route.path
        for route in routes_of(Settings())
        if route.method == "GET" and "text/html" in route.produces
    ]
    return sorted([*shown, *MORE])


# What stands for the parts of a path.


@attrs.frozen
class Customers:
    """What the customers have, by which pages are filled in.

    Attributes:
        api: Asks the service.
        browser: Has signed in: it sends what only a page takes.

    """

    api: aiohttp.ClientSession
    browser: Page

    async def first(self, path: str, name: str = "id") -> str:
        """Return what the first of several things is called."""
        items = (await customers.send(self.api, "GET", path))["items"]
        assert items, path
        return str(items[0][name])

    async def bill(self) -> str:
        """Return the newest bill of the inn."""
        return await self.first(f"/v1/bills?contract={customers.INN_CONTRACT}&limit=1")

    async def job(self) -> str:
        """Return an import that is a job."""
        return await self.first("/v1/jobs?kind=readings.import&limit=1")

    async def home_tariff(self) -> str:
        """Return the tariff of the home."""
        contract = await customers.send(self.api, "GET", f"/v1/contracts/{customers.HOME_CONTRACT}")
        return str(contract["tariff"])

    async def run(self) -> str:
        """Return a run of bills that is a job."""
        return await self.first("/v1/jobs?kind=bills.run&limit=1")

    async def import_id(self) -> str:
        """Return an import."""
        return await self.first("/v1/imports?limit=1")

    async def prefix(self) -> str:
        """Return a token."""
        return await self.first("/v1/tokens?limit=1", "prefix")

    async def file(self) -> str:
        """Send a file, which waits to be looked at."""
        page = self.browser
        await page.goto(page.url.partition("/console")[0] + "/console/import")
        table = FilePayload(name="leituras.csv", mimeType="text/csv", buffer=TABLE.encode())
        await page.locator("input[type=file]").set_input_files(table)
        if "/files/" not in page.url:
            await page.locator("main form button").first.click()
        await page.wait_for_url("**/files/**")
        return page.url.partition("/files/")[2].partition("?")[0]


#: A file as a person has it, with decimal commas.
TABLE: Final = "Data;Hora;kWh\n" + "".join(
    f"02/11/2026;{quarter // 4:02}:{quarter % 4 * 15:02};{3 + quarter % 7},{quarter % 10}5\n"
    for quarter in range(96)
)
#: A quarter of an hour before the inn has any other.
_QUARTER: Final = {"channel": "import", "start": "2025-10-01T00:00:00-03:00"}
#: By the name of a part of a path: what is shown there.
EXAMPLES: Final[Mapping[str, str | Callable[[Customers], Awaitable[str]]]] = {
    "bill": Customers.bill,
    "contract": customers.INN_CONTRACT,
    "file": Customers.file,
    "home_tariff": Customers.home_tariff,
    "import_id": Customers.import_id,
    "job": Customers.job,
    "mapping": "coluna-de-kwh",
    "meter": customers.INN_METER,
    "prefix": Customers.prefix,
    "site": customers.INN,
    "tariff": customers.INN_TARIFF,
}


#: Those of which several pages have others.
_OTHERS: Final = {"/console/bills/runs/{job}": Customers.run}


async def filled_in(path: str, shown: Customers) -> str:
    """Return the path of a page of one of the customers."""
    for part in _PART.findall(path):
        example = _OTHERS.get(path) or EXAMPLES[part]
        text = example if isinstance(example, str) else await example(shown)
        path = path.replace(f"{{{part}}}", text)
    return path


async def more(api: aiohttp.ClientSession) -> None:
    """Let the inn have what pages are about besides: a mapping, an import, a job."""
    options = {"delimiter": ";", "decimal": ","}
    mapping = {"about": "Data, hora e kWh", "operator": "CPFL Paulista", "options": options}
    await customers.send(api, "PUT", "/v1/csv-mappings/coluna-de-kwh", mapping)
    lines = "\n".join(map(json.dumps, ({**_QUARTER, "value": 4.2}, {**_QUARTER, "value": "?"})))
    where = {"meter": customers.INN_METER, "format": "ndjson", "on_problem": "skip"}
    for prefer in ("wait=30", "respond-async"):
        headers = {"Prefer": prefer}
        async with api.post("/v1/imports", params=where, data=lines, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
    first = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=1)
    month = {"start": f"{first:%Y-%m-%d}", "end": f"{datetime.now(UTC):%Y-%m}-01"}
    headers = {"Prefer": "respond-async"}
    async with api.post("/v1/bills/run", json=month, headers=headers) as answer:
        assert answer.status < 300, await answer.text()


# The service, and its pictures.


@attrs.frozen
class Shown:
    """A service that is shown.

    Attributes:
        url: Where it is.
        token: Opens it.
        api: Asks it.

    """

    url: str
    token: str
    api: aiohttp.ClientSession


@asynccontextmanager
async def service_of_customers() -> AsyncIterator[Shown]:
    """Serve the data of both customers, from a database that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="energia-") as folder:
        Path(folder).chmod(0o755)
        async with connected(Database(url=f"embedded:{folder}/db")) as dsn:
            header = await token(dsn)
            await _demo(dsn)
            async with (
                serving(dsn, ENERGIA_AUTH__REQUIRED="true") as service,
                aiohttp.ClientSession(service.url, headers=header) as api,
            ):
                await customers.fill(api)
                await more(api)
                yield Shown(service.url, header["Authorization"].removeprefix("Bearer "), api)


async def _demo(dsn: str) -> None:
    """Load the household of the demo."""
    command = (sys.executable, "-m", "energia", "demo")
    env = environment(DATABASE_URL=dsn)
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def paths_of(browser: Browser, shown: Shown, only: str) -> dict[str, str]:
    """Return the pages that have *only* in their routes' paths, filled in, by these."""
    async with tab_of(browser, shown, token=shown.token) as tab:
        found = Customers(shown.api, tab.page)
        return {path: await filled_in(path, found) for path in pages() if only in path}


async def show(
    browser: Browser,
    shown: Shown,
    folder: Path,
    language: str,
    paths: Mapping[str, str],
    widths: Sequence[int] = _WIDTHS,
    schemes: Sequence[Scheme] = SCHEMES,
) -> list[str]:
    """Take the pictures of pages; return what is not as it must be."""
    faults = []
    for width in widths:
        for scheme in schemes:
            try:
                async with tab_of(
                    browser, shown, token=shown.token, width=width, scheme=scheme, language=language
                ) as tab:
                    for route, path in paths.items():
                        name = f"{_name(route)}-{width}{'-dark' if scheme == 'dark' else ''}.png"
                        await _picture(tab, path, folder / name)
            except AssertionError as found:
                faults.append(str(found))
    return faults


async def _picture(tab: Tab, path: str, file: Path) -> None:
    status = await tab.open(path)
    await tab.page.wait_for_load_state("networkidle")
    await tab.page.screenshot(path=file, full_page=True)
    if (over := await tab.overhang()) > 0:
        tab.faults.append(f"{file.stem} is {over} px too wide")
    if status >= HTTPStatus.BAD_REQUEST:
        tab.faults.append(f"{path} is {status}")
    if found := await tab.axe():
        tab.faults.append(f"{file.stem}: {found}")
    print(status, file.name, flush=True)


def _name(route: str) -> str:
    """Return what the pictures of a page are called: `/console/bills/{bill}` is `bills-bill`."""
    return re.sub(r"\W+", "-", route.removeprefix("/console")).strip("-") or "overview"


async def choose(browser: Browser, shown: Shown, folder: Path, paths: Mapping[str, str]) -> None:
    """Make the pictures of the documentation anew: those of these pages."""
    folder.mkdir(exist_ok=True)
    for one in CHOSEN:
        if one.path not in paths:
            continue
        async with tab_of(browser, shown, token=shown.token, language=one.language) as tab:
            await tab.page.set_viewport_size({"width": 1280, "height": one.height})
            await tab.open(paths[one.path])
            await tab.page.wait_for_load_state("networkidle")
            small = with_palette(await tab.page.screenshot())
        assert len(small) <= SMALL, (one.name, len(small))
        (folder / f"{one.name}.png").write_bytes(small)
        print(f"{len(small) / 1000:.0f} kB  {one.name}", flush=True)


async def main(arguments: Sequence[str]) -> str:
    """Take all pictures; return what is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="pages that have this in their path")
    parser.add_argument("--language", default="pt-BR", help="in which pages are shown")
    given = parser.parse_args(arguments)
    folder = ROOT / "build/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    async with service_of_customers() as shown, chromium() as browser:
        paths = await paths_of(browser, shown, given.only)
        faults = await show(browser, shown, folder, given.language, paths)
        await choose(browser, shown, _PICTURES, paths)
    return "\n".join(faults)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])) or None)

"""Pictures of every page of the console, with the data of two customers.

    python -m tests.plugins.console.screenshots [--only bills] [--language pt-BR]

Each page is shown at 390 and 1,280 px, in light and dark, in `build/screenshots`; the list of pages
is that of the routes, so none is forgotten. Some are chosen for the documentation, small, in
`docs/pictures`. Exit code 1 where a page is not drawn, or not as a test would have it.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs
from playwright.async_api import Browser

from energia.db.connect import connected
from energia.settings import Database
from energia_plugins.console.pages import routes_of
from energia_plugins.console.settings import Settings
from tests.e2e.service import environment, serving, token
from tests.imports import ROOT
from tests.plugins.console import customers
from tests.plugins.console.browser import SCHEMES, Tab, chromium, tab_of
from tests.plugins.console.palette import with_palette

_PICTURES: Final = ROOT / "docs/pictures"
_WIDTHS: Final = (390, 1280)
#: How many bytes a picture of the documentation may have.
SMALL: Final = 120_000
_PART: Final = re.compile(r"\{(\w+)\}")
Ask = Callable[[str], Awaitable[Any]]


@attrs.frozen
class Chosen:
    """A picture of the documentation.

    Attributes:
        name: What it is called in `docs/pictures`.
        path: The page, as a route has it.
        language: In which it is shown.
        height: How much of it, in pixels.

    """

    name: str
    path: str
    language: str = "en"
    height: int = 900


CHOSEN: Final = (
    Chosen("console-overview", "/console"),
    Chosen("console-visao-geral", "/console", "pt-BR"),
    Chosen("console-meter", "/console/meters/{meter}"),
    Chosen("console-bill", "/console/bills/{bill}"),
)


def pages() -> list[str]:
    """Return the paths of all pages, as their routes have them."""
    shown = [
        route.path
        for route in routes_of(Settings())
        if route.method == "GET" and "text/html" in route.produces
    ]
    return sorted(shown)


# What stands for the parts of a path.


async def _first(ask: Ask, path: str, name: str = "id") -> str:
    items = (await ask(path))["items"]
    assert items, path
    return str(items[0][name])


async def _bill(ask: Ask) -> str:
    return await _first(ask, f"/v1/bills?contract={customers.INN_CONTRACT}&limit=1")


async def _job(ask: Ask) -> str:
    return await _first(ask, "/v1/jobs?limit=1")


async def _import(ask: Ask) -> str:
    return await _first(ask, "/v1/imports?limit=1")


async def _mapping(ask: Ask) -> str:
    return await _first(ask, "/v1/csv-mappings?limit=1")


def _named(name: str) -> Callable[[Ask], Awaitable[str]]:
    async def answer(ask: Ask) -> str:
        return name

    return answer


#: By the name of a part of a path: how one is found that the customers have.
EXAMPLES: Final[Mapping[str, Callable[[Ask], Awaitable[str]]]] = {
    "bill": _bill,
    "contract": _named(customers.INN_CONTRACT),
    "import_id": _import,
    "job": _job,
    "mapping": _mapping,
    "meter": _named(customers.INN_METER),
    "site": _named(customers.INN),
    "tariff": _named(customers.INN_TARIFF),
}


async def filled_in(path: str, ask: Ask) -> str:
    """Return the path of a page of one of the customers."""
    for part in _PART.findall(path):
        path = path.replace(f"{{{part}}}", await EXAMPLES[part](ask))
    return path


# The service, and its pictures.


@attrs.frozen
class Shown:
    """A service that is shown.

    Attributes:
        url: Where it is.
        token: Opens it.
        paths: The pages of the customers, by the paths of their routes.

    """

    url: str
    token: str
    paths: Mapping[str, str]


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
                aiohttp.ClientSession(service.url, headers=header) as session,
            ):
                await customers.fill(session)

                async def ask(path: str) -> Any:
                    return await customers.send(session, "GET", path)

                paths = {path: await filled_in(path, ask) for path in pages()}
                yield Shown(service.url, header["Authorization"].removeprefix("Bearer "), paths)


async def _demo(dsn: str) -> None:
    """Load the household of the demo."""
    command = (sys.executable, "-m", "energia", "demo")
    env = environment(DATABASE_URL=dsn)
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def show(browser: Browser, shown: Shown, folder: Path, language: str, only: str) -> None:
    """Take the pictures of every page whose path has *only* in it."""
    wanted = {route: path for route, path in shown.paths.items() if only in route}
    for width in _WIDTHS:
        for scheme in SCHEMES:
            async with tab_of(
                browser, shown, token=shown.token, width=width, scheme=scheme, language=language
            ) as tab:
                for route, path in wanted.items():
                    name = f"{_name(route)}-{width}{'-dark' if scheme == 'dark' else ''}.png"
                    await _picture(tab, path, folder / name)


async def _picture(tab: Tab, path: str, file: Path) -> None:
    status = await tab.open(path)
    await tab.page.wait_for_load_state("networkidle")
    await tab.page.screenshot(path=file, full_page=True)
    print(f"{status} {await tab.overhang():>4} px over  {file.name}", flush=True)
    assert status < 400, path


def _name(route: str) -> str:
    """Return what the pictures of a page are called: `/console/bills/{bill}` is `bills-bill`."""
    return re.sub(r"\W+", "-", route.removeprefix("/console")).strip("-") or "overview"


async def choose(browser: Browser, shown: Shown, folder: Path) -> None:
    """Make the pictures of the documentation anew."""
    folder.mkdir(exist_ok=True)
    for one in CHOSEN:
        async with tab_of(browser, shown, token=shown.token, language=one.language) as tab:
            await tab.page.set_viewport_size({"width": 1280, "height": one.height})
            await tab.open(shown.paths[one.path])
            await tab.page.wait_for_load_state("networkidle")
            small = with_palette(await tab.page.screenshot())
        assert len(small) <= SMALL, (one.name, len(small))
        (folder / f"{one.name}.png").write_bytes(small)
        print(f"{len(small) / 1000:.0f} kB  {one.name}", flush=True)


async def main(arguments: Sequence[str]) -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="pages that have this in their path")
    parser.add_argument("--language", default="pt-BR", help="in which pages are shown")
    given = parser.parse_args(arguments)
    folder = ROOT / "build/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    async with service_of_customers() as shown, chromium() as browser:
        await show(browser, shown, folder, given.language, given.only)
        if not given.only:
            await choose(browser, shown, _PICTURES)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

"""The API's documentation as a page: Swagger UI from its own package, without the network."""

import asyncio
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from energia import PUBLIC, Routes, hookimpl
from energia.errors import NotFound

#: The files of the page; no others are served.
_ASSETS: Final = (
    "favicon-16x16.png",
    "favicon-32x32.png",
    "index.css",
    "initializer.js",
    "swagger-ui-bundle.js",
    "swagger-ui.css",
)
Asset = Annotated[
    str, Meta(description="A file of the page.", extra_json_schema={"enum": list(_ASSETS)})
]
_MEDIA: Final = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
#: Scripts come from here only; Swagger UI sets styles, and draws with images in `data:` URLs.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: All that it refers to is relative, as a proxy may show the service below a path.
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Energia API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="stylesheet" href="docs/index.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png" sizes="32x32">
    <link rel="icon" type="image/png" href="docs/favicon-16x16.png" sizes="16x16">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>This page needs JavaScript; the document is at openapi.json.</noscript>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/initializer.js"></script>
  </body>
</html>
"""
_INITIALIZER: Final = """window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
  });
});
"""

routes = Routes(tag="Service", reads=PUBLIC)


@routes.get("/docs", produces=("text/html",))
async def get_docs() -> web.Response:
    """Show this documentation as a page."""
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return web.Response(text=_PAGE, content_type="text/html", headers=headers)


@routes.get("/docs/{asset}", produces=tuple(_MEDIA.values()), errors=(NotFound,))
async def get_docs_asset(asset: Asset) -> web.Response:
    """Return a file of the documentation page."""
    if asset not in _ASSETS:
        raise NotFound(f"the page has no file {asset!r}")
    body = await asyncio.to_thread(_read, asset)
    response = web.Response(body=body, content_type=_MEDIA[asset.rpartition(".")[2]])
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.enable_compression()
    return response


@hookimpl
def register_routes() -> Routes:
    """Return the page and its files."""
    return routes


def _read(asset: str) -> bytes:
    """Read a file: they are more than a megabyte, which few ask for."""
    return _INITIALIZER.encode() if asset == "initializer.js" else (_FOLDER / asset).read_bytes()


def _found() -> Traversable:
    """Return the folder of the installed package, whatever the version in its name."""
    vendor = resources.files("swagger_ui_bundle") / "vendor"
    (folder,) = (entry for entry in vendor.iterdir() if entry.name.startswith("swagger-ui-"))
    return folder


_FOLDER: Final = _found()

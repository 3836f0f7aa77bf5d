"""Plugins: what the service is made of."""

from energia.core import Core
from energia.plugins.listing import Plugin, listed
from energia.web.pages import Page
from energia.web.routes import Routes

routes = Routes(tag="Catalogue")


@routes.get("/v1/plugins")
async def list_plugins(core: Core) -> Page[Plugin]:
    """List the installed plugins, loaded or not."""
    return Page(tuple(map(listed, core.plugins.states)), None)

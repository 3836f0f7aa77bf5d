"""The rehearsal of previews, with fewer of them: `make rehearse-previews` runs the whole."""

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.previews import PreviewServer
from tests.rehearsals.previews import rehearse
from tests.serving import make_core


@pytest.mark.long
async def test_production_is_untouched(database: str, pool: Pool, previews: PreviewServer) -> None:
    """Previews come and go beside it, and every refusal of the server is met."""
    core = make_core(plugins=Plugins.installed(), pool=pool)
    await core.plugins.seeds()["demo"].sow(core)
    name = (await pool.tenant().fetch(str, "select current_database()"))[0]

    figures = await rehearse(previews, database, name, (1, 10))

    assert previews.databases() == []
    assert len(figures.seconds["webhook to answer"]) == 5

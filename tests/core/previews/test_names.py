"""The name that the guard reads in a URL is the one that the server hears."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from energia.db.address import parsed
from energia.previews.cluster import PreviewPlan
from tests.previews import PreviewServer


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://{role}@/app_pr_7?{server}",
        "postgresql://{role}@/postgres?{server}&dbname=app_pr_7",
        "postgresql://{role}@/app_pr_7?dbname=postgres&{server}&dbname=app_pr_7",
        "postgresql://{role}@/app%5Fpr%5F7?{server}",
        "postgresql://{role}@/app_pr_7?{server}&service=other",
        "postgresql://{role}@/app_pr_7?dbname=postgres&{server}",
        "postgresql://{role}@/postgres?{server}&service=other",
    ],
)
async def test_the_server_hears_what_the_guard_reads(
    previews: PreviewServer, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the path or in a parameter, once or more, with a service and PGDATABASE that differ."""
    await previews.cluster().make(PreviewPlan(7))
    services = tmp_path / "services"
    services.write_text("[other]\ndbname=template1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGDATABASE", "template1")
    url = previews.url()
    made = form.format(role=parsed(url)["user"], server=url.partition("?")[2])

    with closing(psycopg2.connect(made)) as connection, connection.cursor() as cursor:
        cursor.execute("select current_database()")
        heard = cursor.fetchall()

    assert heard == [(parsed(made)["dbname"],)]

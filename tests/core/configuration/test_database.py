"""Which database a process may use: previews and production never meet."""

from pathlib import Path

import pytest

from energia.configuration.loading import Configuration, load
from energia.db.address import parsed
from energia.errors import ConfigurationError

PREVIEWS = (
    {"PR_NUMBER": "7"},
    {"COOLIFY_CONTAINER_NAME": "x-pr-7"},
    {"COOLIFY_BRANCH": "pull/7/head:pr-7-coolify"},
)
PROFILES: tuple[dict[str, str], ...] = (
    {},
    {"ENERGIA_PROFILE": "production"},
    {"ENERGIA_PROFILE": "development"},
    {"ENERGIA_PROFILE": "preview"},
    {"ENERGIA_PROFILE": "nonsense"},
)
HOST = "postgresql://u:geheim@db:5432"

#: URLs by which a preview of pull request 7 finds its database.
GOOD = (
    f"{HOST}/app_pr_7",
    f"{HOST}/app_pr_${{PR_NUMBER}}",
    f"{HOST}/app_pr_$PR_NUMBER",
    f"{HOST}/app_pr_%24%7BPR_NUMBER%7D",
    f"{HOST}/app_pr_%24%7bPR_NUMBER%7d",
    f"{HOST}/app_pr_%24PR_NUMBER",
    f"{HOST}/app_pr_",
    f"{HOST}/app_pr_?sslmode=require",
    f"{HOST}/energia?dbname=app_pr_7",
    f"{HOST}/energia?dbname=app_pr_",
    f"{HOST}/app%5Fpr%5F7",
    "host=db user=u password=geheim dbname=app_pr_${PR_NUMBER}",
    "host=db user=u password='ge heim' dbname=app_pr_",
    f"{HOST}/app_pr_7?service=production",
)
#: URLs that would lead it, or might lead it, elsewhere.
BAD = (
    f"{HOST}/energia",
    f"{HOST}/postgres",
    f"{HOST}/app_pr_8",
    f"{HOST}/app_pr_70",
    f"{HOST}/app_pr_07",
    f"{HOST}/app_pr_7x",
    f"{HOST}/APP_PR_7",
    f"{HOST}/app_pr_7%20",
    f"{HOST}/app_pr_7%0A",
    f"{HOST}/app_pr_7?dbname=energia",
    f"{HOST}/app_pr_${{PR_NUMBER}}?dbname=energia",
    f"{HOST}/app_pr_7?dbname=",
    f"{HOST}/?service=production",
    f"{HOST}",
    f"{HOST}/",
    "service=production",
    "host=db dbname=app_pr_7 dbname=energia",
    "host=db user=app_pr_7",
    f"{HOST}/app_pr_${{PR_NUMBER:-7}}",
    f"{HOST}/app_pr_$PR_NUMBER7",
    f"{HOST}/app_pr_$pr_number",
    f"{HOST}/app_pr_${{PR_NUMBER}}${{PR_NUMBER}}",
    "nonsense",
    "mysql://u:geheim@db/app_pr_7",
    "embedded:",
    "embedded:/srv/app_pr_7",
    "",
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder: no `config` is found by accident."""
    monkeypatch.chdir(tmp_path)


def refused(**environ: str) -> list[str]:
    """Return why an environment is refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ=environ)
    found = [fault.message for fault in caught.value.faults]
    assert "geheim" not in f"{found} {caught.value}"
    return found


def configured(**environ: str) -> Configuration:
    """Return the configuration of an environment."""
    return load(environ=environ)


@pytest.mark.parametrize("said", PREVIEWS)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_pull_request_makes_a_preview(said: dict[str, str], profile: dict[str, str]) -> None:
    """Whatever ENERGIA_PROFILE says, and it is shown where that comes from."""
    found = configured(DATABASE_URL=GOOD[0], **said, **profile)

    assert (found.settings.profile, found.settings.pull_request) == ("preview", 7)
    assert found.origin("profile") == found.origin("pull_request") == next(iter(said))


def test_the_option_does_not_help() -> None:
    """--profile production does not make production of a preview."""
    found = load(profile="production", environ={"PR_NUMBER": "7", "DATABASE_URL": GOOD[0]})

    assert (found.settings.profile, found.origin("profile")) == ("preview", "PR_NUMBER")


def test_a_preview_needs_a_pull_request() -> None:
    """The profile alone does not start."""
    with pytest.raises(ConfigurationError) as caught:
        load(profile="preview", environ={"DATABASE_URL": GOOD[0]})

    codes = [fault.code for fault in caught.value.faults]
    assert codes == ["no_pull_request", "not_its_database"]


@pytest.mark.parametrize("said", PREVIEWS)
@pytest.mark.parametrize("url", GOOD)
def test_a_preview_uses_its_own_database(url: str, said: dict[str, str]) -> None:
    """As libpq reads the URL, with the number put in, and nothing else changed."""
    found = configured(DATABASE_URL=url, **said).settings.database.url

    assert "PR_NUMBER" not in found
    assert parsed(found) == {**parsed(url), "dbname": "app_pr_7"}


@pytest.mark.parametrize("said", PREVIEWS)
@pytest.mark.parametrize("url", BAD)
def test_a_preview_uses_no_other_database(url: str, said: dict[str, str]) -> None:
    """Not with the profile of production either."""
    assert refused(DATABASE_URL=url, **said)
    assert refused(DATABASE_URL=url, ENERGIA_PROFILE="production", **said)


def test_a_preview_needs_a_url() -> None:
    """The default is an embedded server, which is for a laptop."""
    (message,) = refused(PR_NUMBER="7")

    assert message == "database.url: a preview needs DATABASE_URL"
    allowed = load(environ={"PR_NUMBER": "7"}, allow_embedded=True)
    assert allowed.settings.database.url == "embedded:"


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/app_pr_7",
        f"{HOST}/app_pr_",
        f"{HOST}/APP_PR_7",
        f"{HOST}/app_pr_energia",
        f"{HOST}/energia?dbname=app_pr_7",
        f"{HOST}/app%5Fpr%5F7",
        f"{HOST}/app_pr_${{PR_NUMBER}}",
        f"{HOST}/energia_$PR_NUMBER",
        f"{HOST}/",
        "service=preview",
        "host=db dbname=energia dbname=app_pr_7",
        "host=db user=app_pr_7",
        "embedded:",
    ],
)
def test_production_uses_no_database_of_a_preview(url: str) -> None:
    """Nor one that only a service, PGDATABASE or the role's name would tell."""
    assert refused(DATABASE_URL=url, ENERGIA_PROFILE="production")


@pytest.mark.parametrize(
    "environ",
    [
        {"ENERGIA_PROFILE": "production", "DATABASE_URL": f"{HOST}/app_pr_7"},
        {"PR_NUMBER": "7", "DATABASE_URL": f"{HOST}/energia"},
    ],
)
def test_allowing_the_embedded_server_allows_nothing_else(environ: dict[str, str]) -> None:
    """--allow-embedded is about the embedded server only."""
    with pytest.raises(ConfigurationError):
        load(environ=environ, allow_embedded=True)


@pytest.mark.parametrize("name", ["energia", "my_app_pr_7", "app", "app_prod"])
def test_production_uses_any_other_database(name: str) -> None:
    """What only contains the name of a preview's database is none."""
    found = configured(DATABASE_URL=f"{HOST}/{name}", ENERGIA_PROFILE="production")

    assert found.settings.database.url == f"{HOST}/{name}"


def test_a_preview_ignores_what_reaches_others() -> None:
    """Coolify copies the variables of production: the administrator's URL is not kept."""
    admin = {"ENERGIA_PREVIEW__ADMIN_URL": f"{HOST}/postgres"}

    preview = configured(DATABASE_URL=GOOD[0], PR_NUMBER="7", **admin)
    production = configured(DATABASE_URL=f"{HOST}/energia", ENERGIA_PROFILE="production", **admin)

    assert preview.settings.preview.admin_url == ""
    (warning,) = preview.warnings
    assert warning == (
        "ENERGIA_PREVIEW__ADMIN_URL: preview.admin_url is production's; a preview ignores it"
    )
    assert production.settings.preview.admin_url == f"{HOST}/postgres"
    assert production.warnings == ()


def test_a_file_cannot_tell_the_pull_request(tmp_path: Path) -> None:
    """It would hold for every preview."""
    file = tmp_path / "own.toml"
    file.write_text("pull_request = 7")

    with pytest.raises(ConfigurationError, match="named by the platform, not in a file"):
        load(environ={}, files=[file])

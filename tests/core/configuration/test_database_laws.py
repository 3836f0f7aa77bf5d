"""Whatever the URL: previews and production never use the same database."""

from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from energia.configuration.loading import load
from energia.db.address import parsed
from energia.errors import ConfigurationError

NUMBERS = st.integers(1, 9_999_999_999)
PIECES = st.sampled_from(
    [
        "app_pr_",
        "7",
        "70",
        "energia",
        "${PR_NUMBER}",
        "$PR_NUMBER",
        "%24%7BPR_NUMBER%7D",
        "%5F",
        "?",
        "&",
        "dbname=",
        "service=x",
        "/",
        "@",
        "h",
        ":",
        "=",
        "'",
        "\\",
        "host=",
        "embedded:",
    ]
)
NAMES = st.lists(PIECES, max_size=4).map("".join) | st.text(max_size=8)
FORMS = (
    lambda name: f"postgresql://u@h/{name}",
    lambda name: f"postgresql://u@h/{quote(name)}",
    lambda name: f"postgresql://u@h/energia?dbname={name}",
    lambda name: f"postgresql://u@h/{name}?dbname={name}",
    lambda name: f"host=h dbname={name}",
    lambda name: f"host=h dbname='{name}'",
    lambda name: name,
)
URLS = st.builds(lambda form, name: form(name), st.sampled_from(FORMS), NAMES)


def used(**environ: str) -> str | None:
    """Return the database that an environment leads to; None if it is refused."""
    try:
        return parsed(load(environ=environ).settings.database.url)["dbname"]
    except ConfigurationError:
        return None


@given(URLS, NUMBERS)
@example("postgresql://u@h/app_pr_${PR_NUMBER}", 7)
@example("postgresql://u@h/app_pr_", 7)
def test_a_preview_uses_its_own_database_or_none(url: str, number: int) -> None:
    """Of whatever URL it is given."""
    assert used(DATABASE_URL=url, PR_NUMBER=str(number)) in (None, f"app_pr_{number}")


@given(URLS)
@example("postgresql://u@h/energia")
def test_production_uses_no_database_of_a_preview(url: str) -> None:
    """Of whatever URL it is given."""
    name = used(DATABASE_URL=url, ENERGIA_PROFILE="production")

    assert name is None or not name.startswith("app_pr_")


@given(NUMBERS, NUMBERS)
def test_no_two_pull_requests_share_a_database(one: int, other: int) -> None:
    """With the one variable that all previews have in common."""
    url = "postgresql://u@h/app_pr_${PR_NUMBER}"
    names = [used(DATABASE_URL=url, PR_NUMBER=str(number)) for number in (one, other)]

    assert (names[0] == names[1]) is (one == other)

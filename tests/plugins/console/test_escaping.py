"""What customers call things is text in every page, never markup."""

import pytest

from energia_plugins.console.svg import label, tag
from tests.plugins.console.service import Service

HOSTILE = '"><script src="//evil.example/x.js"></script><img src=x onerror=alert(1)>\'`{{7*7}}'


async def test_a_name_is_text(service: Service) -> None:
    """A site and a meter with a hostile name, and hostile queries, are shown as they are called."""
    token = await service.token()
    headers = {"Authorization": f"Bearer {token}"}
    site = {"name": HOSTILE, "timezone": "UTC", "country": "GB", "currency": "GBP"}
    async with service.client.put("/v1/sites/home", json=site, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
    meter = {"site": "home", "name": HOSTILE, "channels": []}
    async with service.client.put("/v1/meters/main", json=meter, headers=headers) as answer:
        assert answer.status in (201, 422), await answer.text()
    await service.sign_in(token=token)

    query = "?from=%22%3E%3Cscript%3E&site=%3Cscript%3E"
    for path in ("", "/meters", "/records", "/bills", "/compare", "/import", "/nothing"):
        page = await service.get(f"/console{path}{query}")
        assert '<script src="//evil' not in page.html, path
        assert "<script>" not in page.html, path
        assert "onerror=alert(1)>" not in page.html.replace("&gt;", ""), path
        assert "`49" not in page.html, path


@pytest.mark.parametrize("text", [HOSTILE, "</text></svg><script>"])
def test_a_picture_is_text(text: str) -> None:
    """A label and an attribute of a picture are escaped."""
    assert "<script" not in label(text, 0, 0)
    assert "<script" not in tag("g", class_=text)
    assert tag("g", class_='" onload="x').count('"') == 2

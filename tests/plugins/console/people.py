"""A person with a browser, as far as a test of the console needs one."""

import re
from collections.abc import Mapping
from html import unescape
from io import BytesIO
from typing import Self

import attrs
from aiohttp import FormData

from tests.serving import Client


@attrs.frozen
class Shown:
    """A page that a person sees.

    Attributes:
        status: Of the answer.
        path: Where it is, with its query.
        html: As it was sent.

    """

    status: int
    path: str
    html: str

    @property
    def text(self) -> str:
        """What is read of it: without tags, blanks folded."""
        bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", self.html, flags=re.S)
        return " ".join(unescape(bare).split())

    @property
    def fields(self) -> dict[str, str]:
        """What its fields hold, by their names."""
        found: dict[str, str] = {}
        for tag in re.findall(r"<input\b[^>]*>", self.html):
            if 'type="checkbox"' in tag and " checked" not in tag:
                continue
            if (name := _attribute(tag, "name")) is not None:
                found[name] = _attribute(tag, "value") or ""
        for tag, inside in re.findall(r"(<select\b[^>]*>)(.*?)</select>", self.html, re.S):
            options = re.findall(r"<option\b[^>]*>", inside)
            chosen = [one for one in options if " selected" in one] or options[:1]
            found[_attribute(tag, "name") or ""] = _attribute(chosen[0], "value") or ""
        return found

    def fault(self, name: str) -> str:
        """Return what is said to be wrong with a field."""
        found = re.search(rf'id="{re.escape(name)}-fault">(.*?)</p>', self.html, re.S)
        return unescape(found[1]).strip() if found else ""


def _attribute(tag: str, name: str) -> str | None:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else None


@attrs.frozen
class Person:
    """Who looks at pages and sends their forms.

    Attributes:
        client: Of the service.
        language: What the browser says.

    """

    client: Client
    language: str = "en"

    def speaking(self, language: str) -> Self:
        """Return the same person with a browser in another language."""
        return attrs.evolve(self, language=language)

    async def see(self, path: str) -> Shown:
        """Look at a page."""
        async with self.client.get(path, headers={"Accept-Language": self.language}) as answer:
            return Shown(answer.status, str(answer.url.relative()), await answer.text())

    async def send(
        self,
        page: Shown,
        changes: Mapping[str, str] | None = None,
        *,
        to: str | None = None,
        file: tuple[str, bytes] | None = None,
    ) -> Shown:
        """Send the form of a page with some fields changed, and see where it leads."""
        fields = {**page.fields, **(changes or {})}
        fields.pop("file", None)
        data: FormData | dict[str, str] = fields
        if file is not None:
            data = FormData(fields)
            data.add_field("file", BytesIO(file[1]), filename=file[0], content_type="text/csv")
        headers = {"Accept-Language": self.language, "Sec-Fetch-Site": "same-origin"}
        there = (to or page.path).partition("?")[0]
        async with self.client.post(there, data=data, headers=headers) as answer:
            return Shown(answer.status, str(answer.url.relative()), await answer.text())

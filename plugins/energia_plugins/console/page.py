"""A page: who looks at it, in which language, and the template that shows it."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final, Self
from urllib.parse import urlencode

import attrs
from aiohttp import hdrs, web
from jinja2 import Environment, PackageLoader, StrictUndefined

from energia.access.callers import NOBODY
from energia.errors import Forbidden
from energia.web.calls import Api
from energia.web.keys import BEARER, CALLER, PREFIX
from energia_plugins.console.sessions import give, name_of
from energia_plugins.console.words import LANGUAGES, Language, Words, capital, preferred, words

#: Everything comes from here, and nothing is said in a style or a script of the page itself.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_LANGUAGE: Final = "energia-language"
#: What a form says once more, so that it is one of ours.
_FORM: Final = "energia-form"
_YEAR: Final = 365 * 86_400.0


@attrs.frozen
class Place:
    """An entry of the navigation.

    Attributes:
        name: What a page calls its place.
        title: In English.
        path: Where it leads.
        operation: What its reader must be allowed to do.

    """

    name: str
    title: str
    path: str
    operation: str


def marked(text: str) -> str:
    """Return a text as it is: by this name those are collected that are translated later."""
    return text


PLACES: Final = (
    Place("overview", marked("Overview"), "/console", "list_sites"),
    Place("meters", marked("Meters"), "/console/meters", "list_meters"),
    Place("bills", marked("Bills"), "/console/bills", "list_bills"),
    Place("compare", marked("Compare"), "/console/compare", "compare_costs"),
    Place("tariffs", marked("Tariffs"), "/console/tariffs", "list_tariffs"),
    Place("import", marked("Import"), "/console/import", "list_imports"),
    Place("records", marked("Records"), "/console/records", "list_sites"),
    Place("service", marked("Service"), "/console/service", "list_jobs"),
)


@attrs.frozen
class View:
    """What a page is made with.

    Attributes:
        request: The request for it.
        api: The API, as who looks at the page may use it.
        words: The language.

    """

    request: web.Request
    api: Api
    words: Words

    @classmethod
    def of(cls, request: web.Request) -> Self:
        """Return what the page that a request asks for is made with."""
        return cls(request, Api(request), words(language_of(request)))

    async def items(self, operation: str, **arguments: Any) -> list[dict[str, Any]] | None:
        """Return a page of a list of the API; None of one that who looks on may not see."""
        if not self.api.may(operation):
            return None
        page = await self.api.call(operation, **arguments)
        found: list[dict[str, Any]] = page["items"]
        return found

    def text(self, message: str, **values: object) -> str:
        """Return a message in the language of the page."""
        return self.words.text(message, **values)

    def url(self, path: str, **query: object) -> str:
        """Return a path as the browser sees it, with a query of what is not None."""
        prefix: str = self.request.get(PREFIX, "")
        return prefix + _with_query(path, query.items())

    def same(self, **query: object) -> str:
        """Return the URL of this page with some of its query changed; None takes one away."""
        kept = [one for one in self.request.query.items() if one[0] not in query]
        return self.url(_with_query(self.request.path, [*kept, *query.items()]))

    def page(
        self,
        template: str,
        /,
        *,
        place: str = "",
        status: int = HTTPStatus.OK,
        **data: object,
    ) -> web.Response:
        """Return the page that a template makes of *data*; *place* is where one is then."""
        token = self.request.cookies.get(name_of(self.request, _FORM)) or _fresh()
        context = {
            "view": self,
            "w": self.words,
            "place": place,
            "places": self._places(),
            "form_token": token,
            "signed_in": BEARER in self.request and CALLER in self.request,
            **data,
        }
        text = environment(self.words.language).get_template(template).render(context)
        headers = {
            "Content-Security-Policy": _POLICY,
            "Vary": "Accept-Language, Cookie",
            "Content-Language": self.words.language,
            hdrs.CACHE_CONTROL: "no-store",
        }
        response = web.Response(text=text, content_type="text/html", status=status, headers=headers)
        give(self.request, response, _FORM, token, _YEAR)
        if (chosen := self.request.query.get("language")) in LANGUAGES:
            give(self.request, response, _LANGUAGE, str(chosen), _YEAR)
        return response

    def _places(self) -> list[Place]:
        """Return where who looks at the page may go; nowhere before they have signed in."""
        if self.request.get(CALLER) in (None, NOBODY):
            return []
        return [place for place in PLACES if self.api.may(place.operation)]

    def see(self, path: str, **query: object) -> web.Response:
        """Return the answer to a form that has done what it is for: look there."""
        there = _with_query(path, query.items())
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: there})


def _with_query(path: str, query: Iterable[tuple[str, object]]) -> str:
    given = [(name, str(value)) for name, value in query if value is not None]
    return path + (f"?{urlencode(given)}" if given else "")


class ForeignForm(Forbidden):
    """The form is none of ours."""

    code = "foreign_form"


def check_token(request: web.Request, token: object) -> None:
    """Raise `ForeignForm` unless a form says what this browser was given to say."""
    given = request.cookies.get(name_of(request, _FORM))
    if not given or token != given:
        raise ForeignForm("the form has expired, or is of another site: open the page again")


def _fresh() -> str:
    return token_urlsafe(24)


def language_of(request: web.Request) -> Language:
    """Return the language of a page: that of its URL, else the chosen one, else the browser's."""
    for chosen in (request.query.get("language"), request.cookies.get(name_of(request, _LANGUAGE))):
        for language in LANGUAGES:
            if chosen == language:
                return language
    return preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


# Templates.


@lru_cache(maxsize=len(LANGUAGES))
def environment(language: Language) -> Environment:
    """Return the templates in a language; a name that they do not know is an error."""
    found = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    translations: Any = words(language).translations
    found.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    found.globals |= {"static": static_url, "languages": LANGUAGES}
    found.filters |= {"capital": capital}
    return found


# Static files: styles, scripts, uPlot from its own package.

_MEDIA: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

#: The parts of the style sheet that come first; then those of pages, in one layer, then print.
_LAYERS: Final = ("reset", "tokens", "layout", "parts", "charts")


@attrs.frozen
class Static:
    """The files that pages load.

    Attributes:
        files: Their contents by name.
        version: Changes with any of them, so that browsers may keep what they have for good.

    """

    files: Mapping[str, bytes]
    version: str

    @classmethod
    def read(cls) -> Self:
        """Read the files from this package, and those of uPlot from its own."""
        found = {entry.name: entry.read_bytes() for entry in _own()}
        sheets = [found.pop(name) for name in sorted(found, key=_layer) if name.endswith(".css")]
        found["console.css"] = b"".join(sheets)
        uplot = _uplot()
        found |= {"uplot.js": (uplot / "uPlot.iife.js").read_bytes()}
        found |= {"uplot.css": (uplot / "uPlot.min.css").read_bytes()}
        digest = sha256(b"".join(name.encode() + data for name, data in sorted(found.items())))
        return cls(found, digest.hexdigest()[:12])

    def response(self, name: str) -> web.Response | None:
        """Return a file, which never changes under its URL."""
        if name not in self.files:
            return None
        media = _MEDIA[name.rpartition(".")[2]]
        response = web.Response(body=self.files[name], content_type=media, charset="utf-8")
        response.headers[hdrs.CACHE_CONTROL] = "public, max-age=31536000, immutable"
        response.enable_compression()
        return response


def _layer(name: str) -> tuple[int, str]:
    """Return where a part of the style sheet stands; a browser loads them as one."""
    layer = name.removesuffix(".css")
    if layer in _LAYERS:
        return _LAYERS.index(layer), ""
    return len(_LAYERS) + (layer == "print"), layer


def _uplot() -> Path:
    """Return the folder of uPlot; its package is not imported, as that takes half a second."""
    found = find_spec("uplot")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "static"


def _own() -> list[Traversable]:
    entries = (files(__package__) / "static").iterdir()
    return [entry for entry in entries if entry.name.rpartition(".")[2] in _MEDIA]


@lru_cache(maxsize=1)
def static() -> Static:
    """Return the files, read once."""
    return Static.read()


def static_url(view: View, name: str) -> str:
    """Return where a file is."""
    if name not in static().files:
        raise KeyError(name)
    return view.url(f"/console/static/{static().version}/{name}")

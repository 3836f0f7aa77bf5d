"""Speaks the language of the caller: the kit's own is Portuguese, and English is by request.

Answers and errors are made in Portuguese, as the command line prints them; on their way out their
texts become English ones for who prefers that, and where tables are from, which they note in
English, becomes Portuguese for all others. Names of charges stay: a bill prints them.
"""

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from energia.web.languages import preferred
from energia_plugins.tariff_brazil.english import ENGLISH
from energia_plugins.tariff_brazil.provenance import PORTUGUESE

__all__ = ["english", "portuguese_source", "speak"]

Language = Literal["en", "pt-BR"]
_SPOKEN: Final[dict[str, Language]] = {"en": "en", "pt": "pt-BR"}
#: Below this path is what the kit says.
_ROOT: Final = "/v1/brazil/"
#: What has texts: of faults, and of what answers are made of.
_TEXTS: Final = frozenset({"message", "detail", "what", "source"})
#: Where texts are: not inside of tariffs, whose names are those of bills.
_PLACES: Final = frozenset({"errors", "sources", "assumptions"})
_JSON: Final = frozenset({"application/json", "application/problem+json"})
_HOLE: Final = re.compile(r"\\{(\w+)\\}")


@web.middleware
async def speak(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what the kit answers in the language that the caller prefers; Portuguese for any other.

    What has an entity tag is data, and the same for all.
    """
    answer = await handler(request)
    if (
        not request.path.startswith(_ROOT)
        or not isinstance(answer, web.Response)
        or answer.content_type not in _JSON
        or hdrs.ETAG in answer.headers
        or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        return answer
    language = preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""), _SPOKEN, "pt-BR")
    if isinstance(answer.body, bytes):
        answer.body = msgspec.json.encode(_spoken(msgspec.json.decode(answer.body), language))
    answer.headers[hdrs.CONTENT_LANGUAGE] = language
    varies = [answer.headers.get(hdrs.VARY), hdrs.ACCEPT_LANGUAGE]
    answer.headers[hdrs.VARY] = ", ".join(filter(None, varies))
    return answer


def _spoken(document: Any, language: Language) -> Any:
    """Return an answer or an error with its texts in a language."""
    if not isinstance(document, dict):
        return document
    say = _in_english if language == "en" else _in_portuguese
    parts = {
        name: [*map(say, value)] if name in _PLACES and isinstance(value, list) else value
        for name, value in document.items()
    }
    return say(parts)


def _in_english(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {name: _value_in_english(name, value) for name, value in part.items()}


def _value_in_english(name: str, value: Any) -> Any:
    if name in _TEXTS and isinstance(value, str):
        return english(value)
    if name == "doubts" and isinstance(value, list):
        return [english(one) for one in value]
    return _in_english(value) if name == "printed" else value


def _in_portuguese(part: Any) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get("source"), str):
        return part
    return {**part, "source": portuguese_source(part["source"])}


def portuguese_source(text: str) -> str:
    """Return where something is from, in Portuguese: each of its parts that the kit knows."""
    return "; ".join(_matched(part, "pt-BR") or part for part in text.split("; "))


def english(text: str) -> str:
    """Return a text of the kit in English; what is none of its texts stays as it is."""
    return _matched(text, "en") or text


def _matched(text: str, language: Language) -> str | None:
    for pattern, meant in _patterns(language):
        if found := pattern.fullmatch(text):
            return meant.format_map(dict(_filled(found)))
    return None


def _filled(found: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Yield what stands in the braces of a text: some of it is a text of the kit, too."""
    for name, value in found.groupdict().items():
        yield name, english(value) if name in _WITHIN else value


#: What may be a text of the kit.
_WITHIN: Final = frozenset({"message", "have", "then", "what"})


@cache
def _patterns(language: Language) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what a text looks like, with its English; the one that says most comes first.

    What begins with a hole comes last: it would take what is told before a text for a part of it.
    """

    def order(portuguese: str) -> tuple[bool, int]:
        return portuguese.startswith("{"), -len(re.sub(r"\{\w+\}", "", portuguese))

    texts = ENGLISH if language == "en" else PORTUGUESE
    ordered = sorted(texts, key=order)
    return tuple(
        (re.compile(_HOLE.sub(r"(?P<\1>.*?)", re.escape(text)), re.DOTALL), texts[text])
        for text in sorted(ordered, key=lambda text: "{" in text)
    )

"""Media types: what a client sends, and what it accepts."""

from collections.abc import Iterable

from aiohttp import web

from energia.errors import NotAcceptable, UnsupportedMedia

JSON = "application/json"
PROBLEM = "application/problem+json"


def check_json(request: web.BaseRequest) -> None:
    """Refuse a body that does not say it is JSON in UTF-8; raises `UnsupportedMedia`."""
    sent = request.content_type if "Content-Type" in request.headers else "no type"
    if sent != JSON and not sent.endswith("+json"):
        raise UnsupportedMedia(f"the body must be {JSON}, not {sent}")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(f"the body must be UTF-8, not {request.charset}")


def check_accept(request: web.BaseRequest, offered: Iterable[str] = (JSON,)) -> None:
    """Refuse a request that accepts none of the *offered* types; raises `NotAcceptable`."""
    accepted = request.headers.getall("Accept", [])
    if accepted and not any(accepts(", ".join(accepted), media) for media in offered):
        raise NotAcceptable(f"can answer with {', '.join(offered)}")


def accepts(header: str, media: str) -> bool:
    """Say whether an `Accept` header takes *media*; the most specific range decides (RFC 9110)."""
    quality = {name: weight for name, weight in map(_range, header.split(",")) if name}
    for name in (media, media.partition("/")[0] + "/*", "*/*"):
        if name in quality:
            return quality[name] > 0
    return not quality


def _range(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 1.0
    return name, 1.0


def accepts_gzip(request: web.BaseRequest) -> bool:
    """Say whether the client wants its answer compressed by gzip."""
    encodings = dict(map(_range, request.headers.get("Accept-Encoding", "").split(",")))
    return encodings.get("gzip", encodings.get("*", 0.0)) > 0

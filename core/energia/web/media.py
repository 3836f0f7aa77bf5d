"""Media types: what a client sends, and what it accepts."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from energia.errors import NotAcceptable, UnsupportedMedia

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"

_WEIGHT: Final = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")


class Accepted(str):
    """The media type to answer with: a handler's parameter of this type gets it."""

    __slots__ = ()


def check_json(request: web.BaseRequest) -> None:
    """Refuse a body that does not say it is JSON in UTF-8; raises `UnsupportedMedia`."""
    sent = request.content_type if "Content-Type" in request.headers else "no type"
    if sent != JSON and not sent.endswith("+json"):
        raise UnsupportedMedia(f"the body must be {JSON}, not {sent}")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(f"the body must be UTF-8, not {request.charset}")


def accepted(request: web.BaseRequest, offered: Sequence[str] = (JSON,)) -> Accepted:
    """Return the type of *offered* that the client likes best, the first one if it likes several.

    A type that it names goes before one that only a range such as `*/*` takes in.

    Raises:
        NotAcceptable: It accepts none of them.

    """
    header = ", ".join(request.headers.getall("Accept", []))
    ranges = {name: weight for name, weight in map(_range, header.split(",")) if name}
    best = max(offered, key=lambda name: _liked(ranges, name))  # the first of equals
    if _liked(ranges, best)[0] <= 0:
        raise NotAcceptable(f"can answer with {', '.join(offered)}")
    return Accepted(best)


def _liked(ranges: Mapping[str, float], name: str) -> tuple[float, int]:
    """Return the weight of a type: the most specific range decides (RFC 9110); and its rank."""
    candidates = (name, name.partition("/")[0] + "/*", "*/*")
    found = [(ranges[one], -rank) for rank, one in enumerate(candidates) if one in ranges]
    return found[0] if found else (float(not ranges), 0)


def _range(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, float(value) if _WEIGHT.fullmatch(value.strip()) else 1.0
    return name, 1.0


def check_encoding(request: web.BaseRequest) -> None:
    """Refuse a client that takes its answer neither compressed nor as it is.

    Raises:
        NotAcceptable: It accepts none of both.

    """
    gzip, plain = _encodings(request)
    if gzip <= 0 and plain == 0:
        raise NotAcceptable("can answer with the encoding gzip, or with none")


def accepts_gzip(request: web.BaseRequest, *, needed: bool = False) -> bool:
    """Say whether the client wants its answer compressed by gzip; or, *needed*, nothing else."""
    gzip, plain = _encodings(request)
    return gzip > 0 and (plain == 0 if needed else gzip >= (plain or 0))


def _encodings(request: web.BaseRequest) -> tuple[float, float | None]:
    """Return how much the client likes gzip and no encoding; None if it does not say."""
    header = ",".join(request.headers.getall("Accept-Encoding", []))
    weights = dict(map(_range, header.split(",")))
    every = weights.get("*")
    return weights.get("gzip", every or 0.0), weights.get("identity", 0.0 if every == 0 else None)

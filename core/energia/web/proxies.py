"""Proxies before the service: who asks through them, and below which path.

Nothing that a request says of its way is believed, unless it comes from a proxy that
`server.trusted_proxies` names. aiohttp-remotes was looked at: it changes a request once it is
routed, so that neither the answer's own headers nor a path below a prefix would follow.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import attrs
from aiohttp import hdrs, web
from yarl import URL

from energia.settings import BASE_PATH, Server
from energia.web.keys import PREFIX

_PREFIX: Final = re.compile(BASE_PATH)
_HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
#: An address as proxies write it: with a port, and one of IPv6 in brackets then.
_HOP: Final = re.compile(r"\[(?P<long>.*)\](?::\d+)?|(?P<short>[^:]*):\d+|(?P<bare>.*)")
#: Where a link of ours begins, in a `Link` header.
_LINK: Final = re.compile("<(?=/(?!/))")


@attrs.frozen
class Proxies:
    """The proxies that are believed.

    Attributes:
        trusted: Their networks.
        base_path: The path below which the service is seen, where no proxy says it.

    """

    trusted: tuple[str, ...]
    base_path: str

    @classmethod
    def of(cls, server: Server) -> "Proxies":
        """Return the proxies that the settings name."""
        return cls(server.trusted_proxies, server.base_path)

    def as_sent(self, request: web.BaseRequest) -> web.BaseRequest:
        """Return *request* as its client sent it: from where, to which host, below which prefix.

        A prefix that `server.base_path` names may have been taken off by the proxy or not.
        """
        changes: dict[str, Any] = {}
        prefix, peer = self.base_path, request.remote or ""
        if self.trusted and _trusts(self.trusted, peer):
            changes = _forwarded(request.headers)
            changes["remote"] = self._client(peer, request)
            prefix = _said(request.headers, "X-Forwarded-Prefix", _PREFIX) or prefix
        path = str(request.rel_url)
        if self.base_path and re.match(f"{re.escape(self.base_path)}(?=[/?]|$)", path):
            below = path.removeprefix(self.base_path)
            changes["rel_url"] = URL(below if below[:1] == "/" else f"/{below}", encoded=True)
        sent = request.clone(**changes) if changes else request
        if prefix:
            sent[PREFIX] = prefix
        return sent

    def _client(self, peer: str, request: web.BaseRequest) -> str:
        """Return the address of who asks: the last one before the proxies that are trusted.

        Proxies append the address that they were asked from. From the right, each is believed
        that one of them has written; what stands before it is what the client says of itself.
        """
        address = peer
        hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        for hop in reversed(hops):
            said = _address(_bare(hop.strip()))
            if said is None or not _trusts(self.trusted, address):
                break
            address = str(said)
        return address


def _forwarded(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what else a proxy says: the scheme and the host that the client used."""
    scheme = _said(headers, "X-Forwarded-Proto", re.compile("https?"))
    host = _said(headers, "X-Forwarded-Host", _HOST)
    return {name: text for name, text in (("scheme", scheme), ("host", host)) if text}


def _said(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    """Return what the nearest proxy says in a header, if it has the form that it must have."""
    text = headers.get(name, "").rpartition(",")[2].strip()
    return text if form.fullmatch(text) else None


@lru_cache(maxsize=1024)
def _trusts(networks: tuple[str, ...], peer: str) -> bool:
    address = _address(peer)
    return address is not None and any(address in ip_network(one) for one in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address; that of IPv4 for one that IPv6 only wraps."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _bare(hop: str) -> str:
    if hop.count(":") > 1 and not hop.startswith("["):
        return hop  # of IPv6, which has no port then
    found = _HOP.fullmatch(hop)
    return next(filter(None, found.groups()), "") if found else ""


# What the service itself says: paths of its own, as the client sees them.


def prefixed(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Let the paths in the headers of an answer begin as the client's do."""
    if not (prefix := request.get(PREFIX)):
        return
    location = response.headers.get(hdrs.LOCATION, "")
    if location.startswith("/") and not location.startswith("//"):
        response.headers[hdrs.LOCATION] = prefix + location
    if hdrs.LINK in response.headers:
        links = response.headers.popall(hdrs.LINK)
        response.headers.extend((hdrs.LINK, _LINK.sub(f"<{prefix}", link)) for link in links)

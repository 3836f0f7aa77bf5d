"""Which addresses a request to others may reach: public ones, and those that a setting allows.

A URL is text that somebody configured, and a name means what its owner says at the moment: either
may lead to a service that listens to nobody but this machine or this network, such as a cloud's
metadata with its credentials (SSRF). So each address is judged when it is connected to.
"""

import re
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Self

import attrs

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What IPv6 addresses of the internet begin with (RFC 4291); whatever is elsewhere is special.
_UNICAST: Final = IPv6Network("2000::/3")
#: IPv6 for IPv4 hosts (RFC 6052): the last 32 bits are the IPv4 address.
_NAT64: Final = IPv6Network("64:ff9b::/96")
#: What no release of Python, or not every one, knows to be special: protocol assignments
#: (RFC 6890; a cloud's metadata is in it), relays of 6to4, Azure's answers to its own machines.
_SPECIAL: Final = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


@attrs.frozen
class Allowed:
    """What may be reached besides public addresses.

    Attributes:
        networks: Addresses, whatever name leads to them.
        hosts: Names, wherever they lead; `*.` at the beginning stands for any names below.

    """

    networks: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """Return what *entries* allow: `10.0.0.0/8`, `::1`, `erp.example`, `*.example`.

        Raises:
            ValueError: One of them is neither a network nor the name of a host.

        """
        networks, hosts = list[Network](), list[str]()
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                hosts.append(_host(entry))
        return cls(tuple(networks), tuple(hosts))

    def refusal(self, host: str, text: str) -> str | None:
        """Return why the address *text*, to which *host* leads, is not reached; None if it is.

        Numbers that the system would take for an address (`2130706433`, `0177.0.0.1`) are none
        here: an address has one form.
        """
        try:
            address = ip_address(text)
        except ValueError:
            return f"{host} is not an address in its usual form"
        meant = _inner(address)
        if self._has(host) or any(meant in network for network in self.networks):
            return None
        if is_public(meant):
            return None
        return f"{text} is not a public address, and outgoing.allow does not have it"

    def _has(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        return any(
            name.endswith(entry[1:]) if entry.startswith("*.") else name == entry
            for entry in self.hosts
        )


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet: not private, loopback, multicast, ..."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _host(entry: str) -> str:
    name = entry.lower().rstrip(".")
    # What ends in a number or has a slash was meant for a network.
    if not _HOST.fullmatch(name) or name.rpartition(".")[2].isdigit():
        raise ValueError(f"{entry!r} is neither a network, such as 10.0.0.0/8, nor a host")
    return name

"""Which addresses may be reached."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.configuration.loading import load
from energia.errors import ConfigurationError
from energia.outgoing.addresses import Allowed, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::"),
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fec0::1"),
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200"),
        *("168.63.129.16", "192.0.0.192"),
        *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "ff02::1", "ff0e::1"),
        *("192.0.2.1", "198.18.0.1", "203.0.113.9", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::10.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::"),
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    """Private, loopback, link-local, multicast, reserved, of a cloud, in whatever form."""
    refusal = Allowed().refusal("name.example", address)

    assert refusal == f"{address} is not a public address, and outgoing.allow does not have it"


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"],
)
def test_the_internet_is_reached(address: str) -> None:
    """Also through the forms of IPv6 that stand for a public IPv4 address."""
    assert Allowed().refusal("name.example", address) is None


@pytest.mark.parametrize(
    "text",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "", "localhost", "1.1.1.01"],
)
def test_an_address_has_one_form(text: str) -> None:
    """Numbers that a system reads as an address are refused, also public ones."""
    assert Allowed.of(["127.0.0.0/8"]).refusal(text, text) is not None


@pytest.mark.parametrize(
    ("entry", "host", "address", "is_allowed"),
    [
        ("10.0.0.0/8", "erp.example", "10.1.2.3", True),
        ("10.0.0.0/8", "erp.example", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "erp.example", "11.1.2.3", True),
        ("10.0.0.0/8", "erp.example", "192.168.0.1", False),
        ("::1", "localhost", "::1", True),
        ("::1", "localhost", "127.0.0.1", False),
        ("ERP.internal", "erp.internal.", "10.1.2.3", True),
        ("erp.internal", "xerp.internal", "10.1.2.3", False),
        ("*.internal", "a.erp.internal", "10.1.2.3", True),
        ("*.internal", "internal", "10.1.2.3", False),
        ("*.internal", "evil-internal", "10.1.2.3", False),
    ],
)
def test_a_setting_allows_networks_and_hosts(
    entry: str, host: str, address: str, is_allowed: bool
) -> None:
    """A network whatever the name, a name wherever it leads, and nothing that is like them."""
    assert (Allowed.of([entry]).refusal(host, address) is None) == is_allowed


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "10.0.0/8", "http://x", "a b", "", "*", "1.2.3"])
def test_what_is_no_network_and_no_host_is_refused_by_name(entry: str) -> None:
    """When the configuration is read, not when a request is sent."""
    with pytest.raises(ConfigurationError) as refused:
        load(environ={"ENERGIA_OUTGOING__ALLOW": f'["{entry}"]'})

    assert refused.value.detail.startswith("ENERGIA_OUTGOING__ALLOW: outgoing.allow: ")
    assert repr(entry) in refused.value.detail


_PRIVATE = [ip_network(it) for it in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7")]


@given(st.ip_addresses())
def test_no_private_address_is_public(address: object) -> None:
    """Whatever the address, an IPv4 one as IPv6 is judged like itself."""
    parsed = ip_address(str(address))
    inside = any(parsed.version == it.version and parsed in it for it in _PRIVATE)

    assert not (inside and is_public(parsed))
    if parsed.version == 4:
        as_six = Allowed().refusal("h", f"::ffff:{parsed}") is None
        assert as_six == is_public(parsed)

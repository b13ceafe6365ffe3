"""The one client for calls to the outside: what it refuses, how it pins, how it stops (R93, R94)."""

import ipaddress
import socket
import time

import pytest

from segmentation_crm.common import outbound
from segmentation_crm.common.outbound import OutboundFailed, OutboundRefused, check_address, checked_url, post
from tests.support.receiver import receiving

LOOPBACK = ["127.0.0.0/8"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[::127.0.0.1]", "[fec0::1]", "[ff02::1]", "0x7f000001", "2130706433",
        "127.1", "0177.0.0.1", "localhost",
    ],
)  # fmt: skip
def test_r93_private_addresses_are_refused_at_connect(host):
    with pytest.raises(OutboundRefused, match="not an address of the public internet"):
        post(f"https://{host}/hook", b"{}", {})


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "2002:5db8:d822::1"])
def test_public_addresses_are_let_through(text):
    check_address(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("https:///path", "names a host"),
        ("https://user:pw@example.com/", "no user name"),
        ("https://example.com:0/", "between 1 and 65535"),
        ("https://example.com:99999/", "This is no address"),
        ("https://[::1/", "This is no address"),
        ("https://example.com/a b", "no blanks"),
        ("https://example.com/\r\nX: y", "no blanks"),
        ("http://example.com/", "must be encrypted"),
        ("https://169.254.169.254/", "not an address of the public internet"),
        ("https://example.com/" + "a" * 2000, "at most 2000"),
    ],
)
def test_addresses_are_checked_when_entered(url, words):
    with pytest.raises(OutboundRefused, match=words):
        checked_url(url)


def test_r93_a_name_with_one_private_address_is_refused(monkeypatch):
    def resolve(host, port, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("93.184.216.34", "10.0.0.7")]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    with pytest.raises(OutboundRefused, match=r"10\.0\.0\.7"):
        post("https://rebind.example/", b"{}", {})


def test_r93_the_address_judged_is_the_one_connected_to(monkeypatch):
    asked, connected = [], []

    def resolve(host, port, **kwargs):
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address, **kwargs):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(outbound.socket, "create_connection", connect)
    with pytest.raises(OutboundFailed, match="it was refused"):
        post("https://rebind.example/", b"{}", {})
    assert connected == [("93.184.216.34", 443)]
    assert asked == ["rebind.example"]


def test_unknown_names_and_closed_ports_are_said(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with pytest.raises(OutboundFailed, match="is not known"):
        post("https://nothing.invalid/", b"{}", {})
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(OutboundFailed, match="it was refused"):
        post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_plain_http_reaches_only_allowed_networks(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with receiving() as server:
        answer = post(f"{server.url}/hook?x=1", b'{"a":1}', {"webhook-id": "msg_1"})
        assert (answer.status, answer.body) == (200, b"ok")
        seen = server.seen[0]
        assert (seen.path, seen.body, seen.headers["webhook-id"]) == ("/hook?x=1", b'{"a":1}', "msg_1")
    with pytest.raises(OutboundRefused, match="must be encrypted"):
        check_address(ipaddress.ip_address("93.184.216.34"), "http")


def test_r93_redirects_are_not_followed(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with receiving(status=302, headers={"Location": "http://127.0.0.1:1/"}) as server:
        assert post(server.url, b"{}", {}).status == 302
        assert len(server.seen) == 1


def test_r94_an_endless_body_is_cut_at_64_kib(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with receiving(body=b"x" * 300_000) as server:
        assert len(post(server.url, b"{}", {}).body) == 64 * 1024


@pytest.mark.parametrize("way", ["silent", "drip"])
def test_r94_a_slow_answer_is_cut_off(settings, way):
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    began = time.monotonic()
    with receiving(way=way) as server, pytest.raises(OutboundFailed, match=r"did not answer within 0\.6 seconds"):
        post(server.url, b"{}", {}, seconds=0.6)
    assert time.monotonic() - began < 5


def test_an_answer_that_is_no_http_is_said(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with receiving(way="noise") as server, pytest.raises(OutboundFailed, match="broke off"):
        post(server.url, b"{}", {})
    with receiving() as server, pytest.raises(OutboundFailed, match="no encrypted connection"):
        post(server.url.replace("http:", "https:"), b"{}", {})

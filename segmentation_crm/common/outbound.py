"""The one client for calls that leave this server to addresses that people typed (RELIABILITY R93, R94).

The name is resolved here, every address it has is judged, and the connection goes to the very address judged: a name
that answers differently a moment later changes nothing. No redirect is followed, no proxy is asked, the answer is read
up to 64 KiB, and the whole takes at most 10 seconds.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MOST_BYTES = 64 * 1024
LONGEST_URL = 2000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="outbound-dns")


class OutboundRefused(Exception):
    """The address may not be called; the message says why, for people."""


class OutboundFailed(Exception):
    """The call did not come to an answer; the message says why, for people."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, the first 64 KiB of the body, and how long it took."""

    status: int
    body: bytes
    seconds: float


def checked_url(url: str) -> SplitResult:
    """Return the parts of an address that may be called as far as it can be told without asking for its name.

    Raises OutboundRefused.
    """
    if len(url) > LONGEST_URL:
        raise OutboundRefused(f"An address has at most {LONGEST_URL} characters.")
    if any(char.isspace() or not char.isprintable() for char in url):
        raise OutboundRefused("An address holds no blanks and no control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutboundRefused("This is no address: write https://example.com/path.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise OutboundRefused("Write an address that begins with https:// and names a host.")
    if parts.username or parts.password:
        raise OutboundRefused("An address holds no user name and no password.")
    if port == 0:
        raise OutboundRefused("The port must be between 1 and 65535.")
    if parts.scheme == "http" and not settings.OUTBOUND_ALLOWED_NETWORKS:
        raise OutboundRefused("Write https:// in front: what is sent must be encrypted.")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    check_address(literal, parts.scheme)
    return parts


def check_address(address: Address, scheme: str = "https") -> None:
    """Let only addresses of the public internet through, and those of OUTBOUND_ALLOWED_NETWORKS.

    An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is judged in its place. Raises OutboundRefused.
    """
    carried = carried_address(address)
    if any(one in network for network in _allowed() for one in (address, carried) if one.version == network.version):
        return
    if scheme != "https":
        raise OutboundRefused("Write https:// in front: what is sent must be encrypted.")
    private = not carried.is_global or carried.is_multicast or carried.is_reserved or carried.is_unspecified
    if private or getattr(carried, "is_site_local", False):
        raise OutboundRefused(f"{address} is not an address of the public internet, so nothing is sent there.")


def carried_address(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, else the address itself."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _allowed() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in settings.OUTBOUND_ALLOWED_NETWORKS]


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = TOTAL_SECONDS) -> Answer:
    """Send a body and return the answer, whatever its status.

    Raises OutboundRefused for an address that may not be called, OutboundFailed where no answer came in time.
    """
    began = time.monotonic()
    parts = checked_url(url)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, parts.scheme)
    try:
        plain = socket.create_connection((str(address), port), timeout=min(CONNECT_SECONDS, seconds))
    except OSError as error:
        raise OutboundFailed(f"No connection to {host}: {_words(error)}.") from error
    # Slow answers come byte by byte, each in time: the whole is cut off from outside.
    cut = threading.Event()
    watch = threading.Timer(max(0.1, seconds - (time.monotonic() - began)), _cut_off, (plain, cut))
    watch.daemon = True
    watch.start()
    try:
        status, answer = _exchange(plain, parts, host, port, body, headers)
    except (OSError, http.client.HTTPException) as error:
        if cut.is_set():
            raise OutboundFailed(f"{host} did not answer within {seconds:g} seconds.") from error
        raise OutboundFailed(f"{host} broke off: {_words(error)}.") from error
    finally:
        watch.cancel()
        plain.close()
    if cut.is_set():
        raise OutboundFailed(f"{host} did not answer within {seconds:g} seconds.")
    return Answer(status, answer, time.monotonic() - began)


def _resolve(host: str, port: int, scheme: str) -> Address:
    """Return the address to connect to; a name with any address that is refused is refused."""
    waiting = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = waiting.result(timeout=CONNECT_SECONDS)
    except TooLong:
        raise OutboundFailed(f"The name {host} was not found in time.") from None
    except (OSError, UnicodeError) as error:
        raise OutboundFailed(f"The name {host} is not known.") from error
    addresses = [ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in found]
    if not addresses:
        raise OutboundFailed(f"The name {host} is not known.")
    for address in addresses:
        check_address(address, scheme)
    return addresses[0]


def _exchange(
    plain: socket.socket, parts: SplitResult, host: str, port: int, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    plain.settimeout(CONNECT_SECONDS)
    connection = http.client.HTTPConnection(host, port, timeout=TOTAL_SECONDS)
    stream: socket.socket = plain
    if parts.scheme == "https":
        stream = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    stream.settimeout(TOTAL_SECONDS)
    connection.sock = stream
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {**headers, "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES)
    finally:
        connection.close()


def _cut_off(stream: socket.socket, cut: threading.Event) -> None:
    cut.set()
    with contextlib.suppress(OSError):
        stream.shutdown(socket.SHUT_RDWR)


def _words(error: Exception) -> str:
    """Return what went wrong without the program's insides."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "no encrypted connection could be agreed on"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ConnectionRefusedError):
        return "it was refused"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]

"""The way out, guarded: connections only to public addresses, pinned to what was checked.

A name is resolved once, in the moment of connecting, and the connection goes to the very address
that was judged; so neither a name that changes its answer nor a redirect leads into a private
network. Host header, SNI and certificate check keep the name.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from engine.crawl.errors import AddressError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.crawl.watch import Watch

USUAL_PORTS = frozenset({80, 443})
NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is reached."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given out; `is_global` also takes what is site-local (fec0::/10)."""
DOCUMENTATION = IPv6Network("3fff::/20")
"""RFC 9637; not known to every Python."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, by the system's resolver.

    Raises:
        OSError: It has none, or nobody answers.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address lies on the public internet; what is wrapped in IPv6 is unwrapped."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None or ip.teredo is not None:
            return False
        if ip in NAT64:
            ip = IPv4Address(int(ip) & 0xFFFFFFFF)
        else:
            ip = ip.ipv4_mapped or ip.sixtofour or ip
    if isinstance(ip, IPv6Address) and (ip not in GLOBAL_UNICAST or ip in DOCUMENTATION):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


class Guard:
    """Decides where connections may go, and makes them.

    Args:
        allow: ``host:port`` pairs that may be private and on any port.
        resolver: Gives a host's addresses.
        watch: Knows which download a new connection serves.
        connect_timeout_s: For one address.
    """

    def __init__(
        self,
        allow: Iterable[str],
        *,
        watch: Watch,
        resolver: Callable[[str, int], list[str]] = resolve,
        connect_timeout_s: float = 10.0,
    ) -> None:
        self._allow = frozenset(pair.strip().lower() for pair in allow)
        self._resolve = resolver
        self._connect_timeout_s = connect_timeout_s
        self.watch = watch

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to one of the host's addresses, all of them judged before.

        Raises:
            AddressError: It must not be asked.
            NewConnectionError: It has no address, or none answers.
        """
        host, port = connection.host.strip("[]"), connection.port or connection.default_port
        try:
            addresses = self._judged(host, port)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(connection, f"{host} has no address: {error}") from error
        last: OSError | None = None
        for address in addresses:
            timeout_s = self._connect_timeout_s
            if self.watch.current is not None:
                timeout_s = max(0.01, min(timeout_s, self.watch.current.left_s))
            try:
                line = socket.create_connection((address, port), timeout_s)
            except OSError as error:
                last = error
                continue
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
        raise NewConnectionError(connection, f"{host} does not answer: {last}") from last

    def _judged(self, host: str, port: int) -> list[str]:
        shown = f"[{host}]" if ":" in host else host
        is_allowed = f"{shown}:{port}".lower() in self._allow
        if not is_allowed and port not in USUAL_PORTS:
            raise AddressError(host, f"port {port} is unusual")
        addresses = self._resolve(host, port)
        if not addresses:
            raise OSError("no addresses")
        if not is_allowed and not all(is_public(address) for address in addresses):
            raise AddressError(host, "it lies in a private network")
        return addresses


class GuardedAdapter(HTTPAdapter):
    """Lets requests connect only through a guard.

    Args:
        guard: Makes the connections.
        pool_size: Idle connections kept for each host.
    """

    def __init__(self, guard: Guard, *, pool_size: int = 16) -> None:
        self._guard = guard
        super().__init__(pool_connections=64, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as inherited
        """Make the pools, with connections of the guarded kind."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._guard)


def _pool_classes(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    class Watched(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            made = guard.connect(self)
            self._report(made)
            return made

        def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as inherited
            if self.sock is not None:
                self._report(self.sock)
            super().request(*args, **kwargs)
            if guard.watch.current is not None:
                guard.watch.current.on_sent()

        def _report(self, line: socket.socket) -> None:
            if guard.watch.current is not None:
                guard.watch.current.takes(line.fileno())

    class WatchedTls(Watched, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Watched

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = WatchedTls

    return {"http": Pool, "https": TlsPool}

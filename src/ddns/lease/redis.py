"""A lease in Redis: one key that expires, and a counter beside it whose value is the fencing token.

Taking, renewing and giving back are scripts, so that each compares and acts at once: a lease that another machine has
by now is never prolonged or deleted. The key is `SET NX PX` with a value of ours alone; the counter is never deleted.
Commands: https://redis.io/docs/latest/commands/set/ and /commands/eval/. Own locks of client libraries know no token.
"""

from __future__ import annotations

import socket
import urllib.parse
from collections.abc import Callable
from typing import Any

import redis
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from ddns.errors import BadCredentials, LeaseLost, LeaseUnavailable, NotPermitted, ProviderError, foreign
from ddns.lease.place import CALL_SECONDS, Granted, Place, holder, taken
from ddns.net import sockets, trust
from ddns.ports import Deadline, Tools

_PORT = 6379
#: KEYS: lease, counter. ARGV: holder, milliseconds. Returns {token} or {0, holder, milliseconds left}.
_ACQUIRE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {redis.call('INCR', KEYS[2])} end
return {0, redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
"""
#: Returns {1}, or {0, holder or '', milliseconds left}.
_RENEW = """
local now = redis.call('GET', KEYS[1])
if now == ARGV[1] then return {redis.call('PEXPIRE', KEYS[1], ARGV[2])} end
return {0, now or '', redis.call('PTTL', KEYS[1])}
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


#: Returns {0, holder or '', milliseconds left}.
_LOOK = "return {0, redis.call('GET', KEYS[1]) or '', redis.call('PTTL', KEYS[1])}"


class _Connection(redis.Connection):
    """Redis' connection over a socket of ours: bound as the settings say, TLS as everywhere in this program."""

    def __init__(self, *, dial: Callable[[], socket.socket], **options: Any) -> None:
        self._dial = dial
        super().__init__(**options)  # type: ignore[no-untyped-call]  # redis-py types its commands, not this

    def _connect(self) -> socket.socket:
        return self._dial()


class RedisLock:
    """Implements `ports.Lock`."""

    def __init__(self, place: Place, tools: Tools) -> None:
        self._place = place
        self._tools = tools
        url = urllib.parse.urlsplit(place.url)
        self._host, self._port = url.hostname or "", url.port or _PORT
        self._tls, self._database = url.scheme == "rediss", int(url.path.strip("/") or 0)
        self._who = f"the lock server {self._host}:{self._port}"
        # Braces keep both keys on one node of a cluster.
        self._keys = (f"ddns:lease:{{{place.name}}}", f"ddns:lease:{{{place.name}}}:token")

    def acquire(self, deadline: Deadline) -> Granted:
        """See `ports.Lock`."""
        mine, asked_at = holder(), self._tools.clock.monotonic()
        answer = self._call(_ACQUIRE, mine, deadline)
        if not answer[0]:
            raise taken(self._place.name, _text(answer[1]), answer[2] / 1000)
        return Granted(
            int(answer[0]),
            self._tools.clock,
            asked_at,
            self._place.ttl,
            renew=lambda deadline: self._renew(mine, deadline),
            release=lambda deadline: self._release(mine, deadline),
        )

    def look(self, deadline: Deadline) -> None:
        """Ask who has the lease, and take nothing. Raises LeaseTaken when somebody has, ProviderError as `acquire`."""
        answer = self._call(_LOOK, "", deadline)
        if answer[1]:
            raise taken(self._place.name, _text(answer[1]), answer[2] / 1000)

    def _renew(self, mine: str, deadline: Deadline) -> None:
        answer = self._call(_RENEW, mine, deadline)
        if answer[0]:
            return
        if answer[1]:
            raise taken(self._place.name, _text(answer[1]), answer[2] / 1000)
        raise LeaseLost(
            f"the fleet lease {self._place.name} ended before it was renewed", until=self._tools.clock.now()
        )

    def _release(self, mine: str, deadline: Deadline) -> None:
        self._call(_RELEASE, mine, deadline)

    def _call(self, script: str, mine: str, deadline: Deadline) -> Any:
        limit = deadline.within(CALL_SECONDS)
        try:
            client = self._client(limit)
            try:
                return client.eval(script, len(self._keys), *self._keys, mine, str(round(self._place.ttl * 1000)))
            finally:
                client.close()
        except (redis.exceptions.RedisError, OSError, UnicodeError) as error:
            raise self._problem(error) from error

    def _client(self, limit: Deadline) -> redis.Redis:
        place, left = self._place, max(limit.left(), 0.001)
        password = self._tools.resolve(place.secret).reveal() if place.secret is not None else None
        pool = redis.ConnectionPool(
            connection_class=_Connection,
            dial=lambda: self._dial(limit),
            host=self._host,
            port=self._port,
            db=self._database,
            username=place.user or None,
            password=password,
            socket_timeout=left,
            socket_connect_timeout=left,
            retry=Retry(NoBackoff(), 0),  # a script that was sent twice would meet its own lease
            protocol=2,
        )
        return redis.Redis.from_pool(pool)

    def _dial(self, limit: Deadline) -> socket.socket:
        sock = sockets.connect(self._host, self._port, limit)
        if not self._tls:
            return sock
        try:
            context = trust.context(self._place.ca_file, self._place.cert_file, self._place.key_file)
            return context.wrap_socket(sock, server_hostname=self._host)
        except BaseException:
            sock.close()
            raise

    def _problem(self, error: Exception) -> ProviderError:
        root = _root(error)
        said = foreign((isinstance(root, OSError) and root.strerror) or str(root))
        if isinstance(error, redis.exceptions.AuthenticationError) or said.startswith(("WRONGPASS", "NOAUTH")):
            return BadCredentials(f"{self._who} does not accept user and password: {said.rstrip('.')}")
        if isinstance(error, redis.exceptions.NoPermissionError):
            return NotPermitted(
                f"{self._who} does not permit the lease: {said}",
                advice="Let its user run EVAL, SET, GET, DEL, INCR, PTTL and PEXPIRE on the keys ddns:lease:*.",
            )
        return self._unavailable(f"{self._who} can't be used: {said}")

    def _unavailable(self, message: str) -> LeaseUnavailable:
        return LeaseUnavailable(message, until=self._tools.clock.now())


def _text(answer: object) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)


def _root(error: BaseException) -> BaseException:
    """The error of the socket or of TLS under redis-py's own, which repeats host and port around it."""
    while isinstance(error.__cause__ or error.__context__, OSError):
        error = error.__cause__ or error.__context__ or error
    return error

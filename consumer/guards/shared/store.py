"""One connection pool to a Redis-compatible service, with bounded calls and a known state.

A call has a bound in time and is tried once more on a new connection; then it raises `SharedUnreachable`, and for a
moment every further call does so at once, so that a silent store costs a worker seconds and not minutes. Nothing here
knows what the guards keep.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from consumer.core.errors import ConfigurationError, SharedUnreachable

_Reply = TypeVar("_Reply")

ACTIONS = ("admit", "conclude", "contest", "count", "record", "release", "reserve", "restore")
"""What the guards use the store for, as the metric of its failures names it."""

_PAUSE_AFTER_FAILURE_SECONDS = 1.0

RECOVERY_SECONDS = 60
"""Where another process of the store answers than before, or one without memory: replicas have so long to add their own
changes again, or to say that it has forgotten them, before anybody makes new ones."""

NEW_STORE = "new"
"""The key by which a person says that nothing was changed that this store does not know, so that there is nothing to
wait for. The next change uses it up."""

_HEAD = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where the store is and how it is used."""

    url: str
    """`redis://host:6379/0` or `rediss://…`; without a password."""
    prefix: str
    """Begins every key; replicas that share have the same."""
    timeout_seconds: float
    """For connecting and for each answer."""
    password: str | None = None

    def __repr__(self) -> str:
        return f"StoreAddress({self.url!r}, {self.prefix!r})"


class Store:
    """The store; used by every worker."""

    def __init__(
        self,
        address: StoreAddress,
        *,
        log_event: Callable[..., None] = lambda *_, **__: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """No request is sent yet; a store that is down is no reason not to start.

        Raises:
            ConfigurationError: the client library is not installed, or the URL is none.
        """
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise ConfigurationError(
                "shared.url: the package redis is not installed",
                "install the worker with its extra: pip install '.[shared]' in a checkout, pip install"
                " 'FILE.whl[shared]' for a wheel, the image has it; or leave shared.url empty",
            ) from None
        try:
            self._client: Any = redis.Redis.from_url(
                address.url,
                password=address.password,
                socket_timeout=address.timeout_seconds,
                socket_connect_timeout=address.timeout_seconds,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
                redis_connect_func=self._connected,
            )
        except ValueError as error:
            raise ConfigurationError(f"shared.url: {error}") from None
        self._failed: Any = redis.RedisError
        self._lost_connection: Any = redis.ConnectionError
        self._timed_out: Any = redis.TimeoutError
        self._prefix = address.prefix
        self._log_event = log_event
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._errors = dict.fromkeys(ACTIONS, 0)
        self._failed_at: float | None = None
        self._problem = ""
        self._run_id = ""
        self._must_recognise = True
        self._thread = threading.local()
        self._on_restart: list[Callable[[], None]] = []

    @property
    def problem(self) -> str:
        """Why the last call failed, for a person; empty while calls succeed."""
        return self._problem

    def errors(self) -> Mapping[str, int]:
        """How often calls failed, by what was wanted."""
        with self._lock:
            return dict(self._errors)

    def key(self, *parts: str) -> str:
        """The key of something; all of one prefix lie in one hash slot, so that scripts work on a cluster too."""
        return ":".join(("{" + self._prefix + "}", *parts))

    def on_restart(self, restore: Callable[[], None]) -> None:
        """Call back when the store was restarted, before it is used again: it may have lost its newest entries."""
        self._on_restart.append(restore)

    def run(
        self,
        action: str,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[object],
        read: Callable[[Any], _Reply],
    ) -> _Reply:
        """Carry out a script and return what `read` makes of its reply; `read` may raise what it likes.

        Raises:
            SharedUnreachable: it could not be carried out, or it is not known whether it was.
        """
        if self._failed_at is not None and self._monotonic() - self._failed_at < _PAUSE_AFTER_FAILURE_SECONDS:
            self._count(action)
            raise SharedUnreachable(self._problem)
        try:
            try:
                found = read(self._run(action, script, keys, arguments))
            except self._lost_connection as error:
                if isinstance(error, self._timed_out):
                    raise
                self._must_recognise = True
                found = read(self._run(action, script, keys, arguments))  # every script may be carried out twice
        except Exception as error:  # noqa: BLE001 - a reply that cannot be read is an error of any type
            raise self._failure(action, error) from None
        self._works()
        return found

    def restore(self, script: Script, keys: Sequence[str], arguments: Sequence[object]) -> None:
        """Carry out a script while the store is being recognised; only for what `on_restart` calls."""
        script.run(self._client, keys, arguments)

    def ping(self) -> Mapping[str, str]:
        """What the service reports about itself: `redis_version`, `maxmemory_policy`, `role`; empty where it does not.

        Raises:
            SharedUnreachable: it does not answer, refuses us, or takes no changes.
        """
        try:
            known: Mapping[str, Any] = self._client.info()
            self._write()
            return {name: str(known.get(name, "")) for name in ("redis_version", "maxmemory_policy", "role")}
        except Exception as error:  # noqa: BLE001 - as above
            raise self._failure("count", error) from None

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _run(self, action: str, script: Script, keys: Sequence[str], arguments: Sequence[object]) -> Any:
        if self._must_recognise:
            self._recognise()
        elif action == "count":
            self._write()
        return script.run(self._client, keys, arguments)

    def _write(self) -> None:
        """Fail unless the store takes changes: one that only answers (a replica, or full) is of no use to a guard."""
        _WRITE.run(self._client, [self.key("written")], [])

    def _connected(self, connection: Any) -> None:
        """A new connection: refused before its first command if another process answers than the one we know."""
        connection.on_connect()
        if getattr(self._thread, "recognises", False):
            return
        connection.send_command("INFO", "server")
        found = str(connection.read_response())
        if self._run_id and f"run_id:{self._run_id}" not in found:
            self._must_recognise = True
            connection.disconnect()
            raise self._lost_connection("another process of the store answers")

    def _recognise(self) -> None:
        """Learn which process answers; another one than before may have begun with older entries.

        Several threads may do this at once, each whole before its own script: nothing is permitted in between.
        """
        known = self._run_id
        self._thread.recognises = True
        try:
            run_id = str(self._client.info("server").get("run_id", ""))
            self._write()
            keys = [self.key("epoch"), self.key("recovering")]
            _RECOVER.run(self._client, keys, [run_id, RECOVERY_SECONDS * 1000])
            if known and run_id != known:
                for restore in self._on_restart:
                    restore()
        finally:
            self._thread.recognises = False
        self._run_id = run_id
        self._must_recognise = False

    def _failure(self, action: str, error: Exception) -> SharedUnreachable:
        first = not self._problem
        what = "" if isinstance(error, self._failed) else "a reply that cannot be read, "
        self._problem = f"{what}{type(error).__name__}: {error}"[:200]
        self._failed_at = self._monotonic()
        self._must_recognise = True
        # The next call looks the address up again: after a failover it leads to another process, and the one behind an
        # open connection takes no changes any more.
        self._client.connection_pool.disconnect(inuse_connections=False)
        self._count(action)
        if first:
            self._log_event("shared.unreachable", action=action, error=self._problem)
        return SharedUnreachable(self._problem)

    def _works(self) -> None:
        if self._problem:
            self._problem = ""
            self._failed_at = None
            self._log_event("shared.reachable")

    def _count(self, action: str) -> None:
        with self._lock:
            self._errors[action] += 1


class Script:
    """A script, sent whole only where the service does not know it yet."""

    def __init__(self, text: str) -> None:
        self._text = _HEAD + text
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: Any, keys: Sequence[str], arguments: Sequence[object]) -> Any:
        """The reply of the script."""
        from redis.exceptions import NoScriptError

        try:
            return client.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.eval(self._text, len(keys), *keys, *arguments)


_RECOVER = Script(
    """
-- KEYS: epoch, recovering; ARGV: this process of the store, for how long to recover in ms
if redis.call('HGET', KEYS[1], 'process') ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'process', ARGV[1])
  redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
end
return 0
"""
)
"""Whoever meets a process of the store first lets all replicas wait: in one step, so that nobody passes in between.

The process that counts is the one the data name, so that a replica that has just started does not take any for it."""


_WRITE = Script(
    """
-- KEYS: written
redis.call('SET', KEYS[1], now, 'PX', 60000)
return 0
"""
)
"""Before what only reads, and before a store that has failed is used again."""


def new_id() -> str:
    """A name that is given only once."""
    return uuid.uuid4().hex

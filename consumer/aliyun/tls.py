"""Whom this process trusts over TLS: one context for every service and thread, as long as the authorities are the same.

Loading the bundle of authorities costs 20 ms and a megabyte, and the SDKs would do it anew for every connection.
Connections of one context share its authorities alone: each gets its session by itself, if any, from
`consumer.aliyun.oss.tls_sessions`.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

_lock = threading.Lock()
_shared: dict[tuple[object, ...], ssl.SSLContext] = {}
"""The latest one, by where its authorities came from; under the lock."""


def trusting() -> ssl.SSLContext:
    """The context for a new connection: the system's authorities, or those that SSL_CERT_FILE and SSL_CERT_DIR name.

    A bundle that was replaced since is read anew, so whoever mends it while a start waits need not start again.
    """
    key = _authorities()
    with _lock:
        if key not in _shared:
            _shared.clear()
            context = ssl.create_default_context()
            context.set_alpn_protocols(["http/1.1"])  # as `http.client` does for a context of its own
            _shared[key] = context
        return _shared[key]


def _authorities() -> tuple[object, ...]:
    paths = ssl.get_default_verify_paths()
    return tuple((path, _version(path)) for path in (paths.cafile, paths.capath))


def _version(path: str | None) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat() if path else None
    except OSError:
        return None
    return found and (found.st_ino, found.st_size, found.st_mtime_ns)

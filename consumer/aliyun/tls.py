"""Whom this process trusts over TLS: one context for every service and thread, as long as the authorities are the same.

Loading the bundle of authorities costs 20 ms and a megabyte, and the SDKs would do it anew for every connection.
Connections of one context share its authorities alone: each gets its session by itself, if any, from
`consumer.aliyun.oss.tls_sessions`.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)
"""The only names that OpenSSL opens in a directory: a hash of the authority's name, and a number.

https://docs.openssl.org/3.0/man1/openssl-rehash/
"""

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
            context = _trusting(list(_files()))
            context.set_alpn_protocols(["http/1.1"])  # as `http.client` does for a context of its own
            _shared[key] = context
        return _shared[key]


def _trusting(files: list[Path]) -> ssl.SSLContext:
    """A context as Python makes it, for the authorities in these files; one that cannot be read counts for none.

    In a directory OpenSSL looks in each handshake anew for whoever issued the certificate that is shown. Services show
    that one as well, and it never is in the directory: an eighth of a handshake.
    """
    made: ssl.SSLContext | None = None
    known = b""
    for file in files:
        with suppress(OSError):
            text = file.read_bytes().strip() if file.is_file() else b""
            if text in known:  # a bundle mostly holds what stands in the directory beside it
                continue
            if made is None:
                made = ssl.create_default_context(cafile=file)
            else:
                made.load_verify_locations(cafile=file)
            known += text + b"\n"
    return made or ssl.create_default_context()


def _files() -> Iterator[Path]:
    """Every file with authorities that OpenSSL would read by itself: the bundle, and what stands in the directories."""
    bundle, *directories = _places()
    if bundle:
        yield Path(bundle)
    for directory in filter(None, directories):
        with suppress(OSError):
            yield from sorted(path for path in Path(directory).iterdir() if _HASHED.fullmatch(path.name))


def _places() -> list[str | None]:
    """The bundle, if there is one, and the directories, of which SSL_CERT_DIR may name several."""
    paths = ssl.get_default_verify_paths()
    return [paths.cafile, *os.environ.get(paths.openssl_capath_env, paths.openssl_capath).split(os.pathsep)]


def _authorities() -> tuple[object, ...]:
    return tuple((path, _version(path)) for path in _places())


def _version(path: str | None) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat() if path else None
    except OSError:
        return None
    return found and (found.st_ino, found.st_size, found.st_mtime_ns)

"""What a start needs on its own machine, by the same code as a start: files, packages, the port, the shared store.

Nothing is left behind: a file that was not there before is not there afterwards.
"""

from __future__ import annotations

import errno
import http.client
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry

from consumer.aliyun.cloud_config import prove_installed
from consumer.aliyun.standard_chain import StandardChain
from consumer.app import descriptors
from consumer.app.clients import ClientParts, build_client, build_retrier
from consumer.config import Config, build_rules
from consumer.core.errors import ConfigurationError
from consumer.core.observers import Hooks
from consumer.guards.rule import kinds_of
from consumer.journal.file import JournalFile, NewerJournal
from consumer.operator.check import shared_store
from consumer.operator.check.findings import CheckResult, failed, ok, service_of
from consumer.telemetry.http_server import HealthServer

_PATIENCE_SECONDS = 5.0
_WRITTEN = {
    errno.EWOULDBLOCK: "end the process that keeps it",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room on its volume"),
}
"""What lets lines be written, by why they cannot be."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not listened on


def look(config: Config) -> Iterator[CheckResult]:
    """One finding for each thing that the configuration asks for."""
    yield _descriptors(config)
    if config.journal.path:
        yield _journal(Path(config.journal.path))
    yield from shared_store.look(config)
    if config.reevaluate.enabled:
        yield _evaluator()
    yield from _clients(config)
    if config.http.enabled:
        yield _port(config)


def _descriptors(config: Config) -> CheckResult:
    try:
        descriptors.provide(config)
    except ConfigurationError as error:
        return failed("open files", str(error), error.remedy or "raise ulimit -n, or lower engine.workers")
    return ok("open files", f"up to {descriptors.needed(config)} are needed and allowed")


def _journal(path: Path) -> CheckResult:
    existed = path.exists()
    try:
        file = JournalFile(path)
    except ConfigurationError as error:
        remedy = "make its directory, on a volume that this user may write to; the key is journal.path"
        return failed("journal", str(error), error.remedy or remedy)
    try:
        with closing(file):
            file.rehearse()
    except OSError as error:
        newer = isinstance(error, NewerJournal)
        remedy = "do the one or the other" if newer else _WRITTEN.get(error.errno or 0, "look at its volume")
        text = f"journal.path: {path} cannot be written: {error.strerror}"
        return failed("journal", text, f"{remedy}; the key is journal.path")
    finally:
        if not existed:
            path.unlink()
    return ok("journal", f"{path} can be written")


def _evaluator() -> CheckResult:
    try:
        prove_installed()
    except ConfigurationError as error:
        return failed("re-evaluation", str(error), error.remedy or "install it, or set reevaluate.enabled = false")
    return ok("re-evaluation", "its package is installed")


def _clients(config: Config) -> Iterator[CheckResult]:
    """What no client can be made for, by the name of its service; that the others work is seen where they are used."""
    hooks = Hooks()
    own = StandardChain(sts_endpoint=config.accounts.sts_endpoint)
    parts = ClientParts(config, own, {}, hooks, build_retrier(config, hooks, threading.Event()))
    for kind in kinds_of(build_rules(config)):
        try:
            build_client(parts, kind).close()
        except ConfigurationError as error:
            yield failed(service_of(kind), str(error), error.remedy or "install it, or take out the rules that need it")


def _port(config: Config) -> CheckResult:
    host, port = config.http.host, config.http.port

    def never() -> str:
        return ""

    try:
        HealthServer(host, port, CollectorRegistry(), live=never, ready=never).close()
    except ConfigurationError as error:
        if _is_a_worker(host, port):
            # Whose it is, its answer does not say; a check beside a running worker is to succeed.
            text = (
                "a worker answers there already: fine if it is this configuration's own; a second one cannot start here"
            )
            return ok("http port", f"{host}:{port}: {text}")
        return failed("http port", str(error), "free it, or choose another http.host or http.port")
    return ok("http port", f"{host}:{port} is free" if port else f"{host}, any free port")


def _is_a_worker(host: str, port: int) -> bool:
    """Whether what listens there answers as a worker does."""
    connection = http.client.HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return b"remediator_build_info" in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

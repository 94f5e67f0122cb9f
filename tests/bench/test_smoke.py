"""The benchmark runs, and accounts for every message. It says nothing about how fast anything is."""

from __future__ import annotations

from pathlib import Path

from bench import redis_server
from bench.contenders import CELERY_THREADS, DRAMATIQ
from bench.machine import Machine
from bench.smoke import CONTENDERS, MESSAGES, smoke
from bench.stage import Stage
from bench.tls import make_trust


def test_everybody_drains_a_backlog_and_every_message_is_accounted_for(tmp_path: Path) -> None:
    """The worker over HTTP and over TLS with a host per bucket, its peers, and who is missing by name."""
    with redis_server.running(None, tmp_path) as redis:
        drained = smoke(Stage(Machine(None, None), tmp_path, redis, make_trust(tmp_path)))
    assert {each.contender for each in drained} == {each.name for each in CONTENDERS}
    for each in drained:
        if each.missing:
            assert each.contender not in {"product, 16 workers", "stock SDKs, 16 threads"}
            assert "install" in each.missing
        else:
            assert (each.settled, each.repaired_once, each.left) == (MESSAGES, MESSAGES, 0), each


def test_whoever_is_not_installed_is_named_with_the_command_that_installs_it() -> None:
    """Nobody is left out silently."""
    for peer in (DRAMATIQ, CELERY_THREADS):
        assert peer.missing in ("", "pip install -r requirements/bench.txt", "apt-get install redis-server")

"""A live view of one worker from its own metrics; reads nothing else and changes nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console, Group, RenderableType
from rich.live import Live

from consumer.config import load
from consumer.config.sections.services import HttpConfig
from consumer.core.errors import ConfigurationError, RemediatorError
from consumer.core.exit_codes import CommandExit
from consumer.engine.stop_request import StopRequest
from consumer.operator import output
from consumer.operator.watch.snapshot import Snapshot, View, view

_TIMEOUT_SECONDS = 5.0
_LARGEST_BYTES = 16 << 20
"""Far more than a worker exports; what is cut there is no scrape any more."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - recognised, not listened on
_MOST_ROWS = 20


class NoMetrics(RemediatorError):
    """The worker's metrics cannot be read; the text says where they were looked for."""


def watch(path: Path | None, url: str, form: str, *, interval: float, once: bool) -> CommandExit:
    """Show one worker, again and again, or once.

    Raises:
        ConfigurationError: neither a URL nor a configuration says where the worker is.
        NoMetrics: it does not answer; when watching for longer, only if it has never answered.
    """
    target = url or _configured(path)
    now = scrape(target)
    if once or form == "json":
        seen = view(now, None, time.time())
        output.show(form, seen.document(), lambda console: console.print(drawn(seen, target)))
        return CommandExit.DONE
    console, enough = output.console(), StopRequest()
    # Not KeyboardInterrupt: raised inside a destructor it would be swallowed, and watching would go on.
    before = signal.signal(signal.SIGINT, lambda *_: enough.make())
    try:
        _follow(console, _pages(target, now, interval, enough))
    finally:
        signal.signal(signal.SIGINT, before)
    console.print()
    return CommandExit.DONE


def scrape(url: str) -> Snapshot:
    """The worker's metrics now.

    Raises:
        NoMetrics: they cannot be read.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/metrics", headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        text = answer.read(_LARGEST_BYTES).decode("utf-8", "replace")
        if answer.status != 200:
            raise NoMetrics(f"{url}/metrics answers {answer.status}")
        return Snapshot.of(text, time.monotonic())
    except (OSError, HTTPException, ValueError) as error:
        raise NoMetrics(f"{url}/metrics cannot be read: {error}; check http.host and http.port, or --url") from None
    finally:
        connection.close()


def drawn(seen: View, target: str) -> RenderableType:
    """The view as a person sees it."""
    flight = sum(seen.in_flight.values())
    slots = f"{flight} of {seen.slots}" if seen.slots else str(flight)
    states = ", ".join(f"{count} {state}" for state, count in seen.in_flight.items() if count)
    head = output.facts(
        [
            ("worker", f"{target}, version {seen.version or '?'}"),
            ("exposed", _exposed(seen)),
            ("changes", _word(seen.paused, "PAUSED", "may be made")),
            ("polls", f"PAUSED: {', '.join(seen.polls_paused)}" if seen.polls_paused else "not paused"),
            ("slots", f"{slots}{f' ({states})' if states else ''}"),
            ("received", f"{seen.received}{_per_second(seen.received_per_second)}"),
            ("settled", f"{sum(seen.settled.values())}{_per_second(seen.settled_per_second)}: {_counts(seen.settled)}"),
            ("parking", _parking(seen.not_parked)),
            ("books", _word(seen.balanced, "balance", "DO NOT BALANCE")),
            ("leases", _counts(seen.renewals) or "none renewed yet"),
        ]
    )
    parts: list[RenderableType] = [head]
    rows = [(rule, seen.modes.get(rule, "-"), outcome, count) for (rule, outcome), count in seen.outcomes.items()]
    parts.append(output.table(("rule", "mode", "outcome", "deliveries"), sorted(rows)[:_MOST_ROWS]))
    if seen.exposures:
        ages = [(rule, _age(seconds)) for rule, seconds in sorted(seen.exposures.items())]
        parts.append(output.table(("rule", "oldest open exposure"), ages))
    if seen.given_up:
        lost = [(*key, count) for key, count in sorted(seen.given_up.items())]
        parts.append(output.table(("rule", "given up because", "resources"), lost[:_MOST_ROWS]))
    if seen.missing:
        needed = [(*key, count) for key, count in sorted(seen.missing.items())]
        parts.append(output.table(("missing permission", "on", "waiting"), needed[:_MOST_ROWS]))
    if seen.errors:
        failed = sorted(seen.errors.items(), key=lambda entry: -entry[1])[:_MOST_ROWS]
        parts.append(output.table(("service", "operation", "code", "requests"), [(*key, n) for key, n in failed]))
    return Group(*parts)


def _follow(console: Console, pages: Iterator[RenderableType]) -> None:
    """Draw over and over on a terminal; anywhere else, write one page after another."""
    if console.is_terminal:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            for page in pages:
                live.update(page, refresh=True)
    for page in pages:
        console.print(page)
        console.file.flush()


def _pages(target: str, first: Snapshot, interval: float, enough: StopRequest) -> Iterator[RenderableType]:
    now = first
    yield drawn(view(now, None, time.time()), target)
    while not enough.within(interval):
        try:
            before, now = now, scrape(target)
        except NoMetrics as error:
            yield output.cell(str(error), "bold red")
        else:
            yield drawn(view(now, before, time.time()), target)


def _configured(path: Path | None) -> str:
    if path is None:
        raise ConfigurationError("say where the worker is: --url, or a configuration in --config")
    if found := address(load(path, os.environ).http):
        return found
    raise ConfigurationError("http.enabled or http.port: the configuration names no fixed port; give --url")


def address(http: HttpConfig) -> str:
    """Where a worker with this configuration answers on its own machine; empty where that is not known."""
    if not http.enabled or not http.port:
        return ""
    return f"http://{_EVERYWHERE.get(http.host, http.host)}:{http.port}"


def _exposed(seen: View) -> str:
    """Nothing only if that is known: a worker that does not poll sees nothing either."""
    if seen.exposed:
        return ", ".join(seen.exposed)
    if seen.unknown is None:
        return "unknown: the worker does not say"
    return f"unknown: {', '.join(seen.unknown)}" if seen.unknown else "nothing"


def _parking(not_parked: Mapping[str, int] | None) -> str:
    if not_parked is None:
        return "unknown: the worker does not say"
    return f"hidden instead, or tried again: {_counts(not_parked)}" if not_parked else "no failure"


def _word(value: bool | None, yes: str, no: str) -> str:
    return "unknown: the worker does not say" if value is None else yes if value else no


def _per_second(rate: float | None) -> str:
    return "" if rate is None else f", {rate:.1f} a second"


def _counts(values: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in values.items() if count)


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"

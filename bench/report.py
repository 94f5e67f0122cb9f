"""Prints the tables, and writes the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.estimate import Decision
from bench.figures import Spread
from bench.measurements import Measurement, Results
from bench.targets import Verdict, verdicts

_MET = {Decision.MET: True, Decision.NOT_MET: False}
_COLOURS = {Decision.MET: "[green]", Decision.NOT_MET: "[red]", Decision.UNDECIDED: "[yellow]"}
_COLUMNS = ("messages/s", "CPU ms each", "MNS each", "OSS each", "RSS MB", "server busy", "client busy")


def show(console: Console, results: Results, machine: str) -> None:
    """Every table."""
    console.print(f"\n{machine}\nMedian (least-most) of the rounds. Settled: deleted; of a Redis peer its read-back,")
    console.print("which spares it the acknowledgement. Per Redis peer, Redis itself is not part of the CPU.\n")
    for row in dict.fromkeys(each.row for each in results.measurements):
        console.print(_row_table(results, row))
    if any(each.latency for each in results.measurements):
        console.print(_latency_table(results))
    if results.kills:
        console.print(_kill_table(results))
    if results.idles or results.starts:
        console.print(_rest_table(results))
    for absence in results.absences:
        console.print(f"[bold]missing[/] {absence.row}: {absence.contender}: {absence.reason}", markup=True)
    console.print(_verdict_table(verdicts(results)))


def write(path: Path, results: Results, machine: str) -> None:
    """Everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = [
        {**asdict(each), "met": _MET.get(each.decision), "verdict": each.decision.value} for each in verdicts(results)
    ]
    document = {"machine": machine, **asdict(results), "verdicts": found}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")


def _contenders(results: Results, row: str) -> Iterator[tuple[str, list[Measurement]]]:
    for name in dict.fromkeys(each.contender for each in results.measurements if each.row == row):
        yield name, results.of(row, name)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _row_table(results: Results, row: str) -> Table:
    table = _table(row, *_COLUMNS)
    for name, rounds in _contenders(results, row):
        figures = zip(*(_figures(each) for each in rounds), strict=True)
        cells = [
            _spread(Spread.of(values), digits) for values, digits in zip(figures, (0, 3, 3, 1, 0, 2, 2), strict=True)
        ]
        table.add_row(name, *cells)
    _add_missing(table, results, row, len(_COLUMNS))
    return table


def _figures(each: Measurement) -> tuple[float, ...]:
    return (
        each.messages_per_second,
        each.cpu_ms_per_message,
        each.mns_requests_per_message,
        each.oss_requests_per_message,
        each.rss_mb,
        each.server_utilisation,
        each.client_utilisation,
    )


def _add_missing(table: Table, results: Results, row: str, columns: int) -> None:
    for absence in results.absences:
        if absence.row == row:
            table.add_row(absence.contender, "missing", *[""] * (columns - 1))


def _latency_table(results: Results) -> Table:
    table = _table(
        "Steady trickle at half of capacity, ms", "messages/s", "enq. p50", "enq. p99", "recv. p50", "recv. p99"
    )
    for name in dict.fromkeys(each.contender for each in results.measurements if each.latency):
        rounds = [each for each in results.measurements if each.contender == name and each.latency]
        found = [each.latency for each in rounds if each.latency]
        columns = zip(
            *((it.enqueued_p50_ms, it.enqueued_p99_ms, it.received_p50_ms, it.received_p99_ms) for it in found),
            strict=True,
        )
        rate = _spread(Spread.of(each.messages_per_second for each in rounds), 0)
        table.add_row(name, rate, *(_spread(Spread.of(values), 0) for values in columns))
    return table


def _kill_table(results: Results) -> Table:
    columns = ("settled then", "in flight then", "lost", "not back yet", "repaired twice", "all done after s")
    table = _table(f"kill -9 in the middle of {results.kills[0].messages}, restarted at once", *columns)
    for it in results.kills:
        done = (
            f"{it.done_after_seconds:.1f}" if it.done_after_seconds is not None else f"not in {it.waited_seconds:.0f}"
        )
        counts = (it.settled_at_kill, it.in_flight_at_kill, it.lost, it.not_back, it.repeated)
        table.add_row(it.contender, *map(str, counts), done)
    return table


def _rest_table(results: Results) -> Table:
    table = _table("Idle and start", "found")
    for it in results.idles:
        idle = f"one request every {it.seconds_per_request:.1f} s, {it.core_share:.2%} of a core, {it.rss_mb:.0f} MB"
        table.add_row(f"{it.contender}, idle for {it.seconds:.0f} s", idle)
    if results.starts:
        table.add_row("start to first receive", _spread(Spread.of(each.seconds for each in results.starts), 2) + " s")
    return table


def _verdict_table(found: Sequence[Verdict]) -> Table:
    table = _table("Targets", "target", "found", "99 % interval", "verdict", "others", "")
    for each in found:
        digits = 3 if abs(each.target) < 1 else 2
        value = _spread(each.found, digits) if each.found is not None else "-"
        verdict = f"{_COLOURS.get(each.decision, '')}{each.decision}"
        target = f"{each.bound} {each.target:g} {each.unit}"
        table.add_row(each.what, target, value, _interval(each.found, digits), verdict, _others(each.found), each.note)
    return table


def _interval(spread: Spread | None, digits: int) -> str:
    found = spread.interval if spread is not None else None
    return f"{found.low:.{digits}f}-{found.high:.{digits}f}" if found is not None and found.low < found.high else "-"


def _others(spread: Spread | None) -> str:
    """The load beside the rounds: what everything else took of a core, and how many rounds do not count for that."""
    if spread is None:
        return ""
    return f"{spread.others_share:.0%}" + (f", {spread.disturbed} rounds out" if spread.disturbed else "")


def _spread(spread: Spread, digits: int) -> str:
    if spread.least == spread.most:
        return f"{spread.median:.{digits}f}"
    return f"{spread.median:.{digits}f} ({spread.least:.{digits}f}-{spread.most:.{digits}f})"

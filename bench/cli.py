"""The command line of `python -m bench`."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from bench import plan, redis_server, report
from bench.campaign import Campaign
from bench.machine import Machine
from bench.smoke import Drained, smoke
from bench.stage import Stage
from bench.tls import Trust, make_trust

_RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
_WIDTH = 170


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; 0 also when targets are missed: that is a result, not a failure."""
    asked = _parser().parse_args(arguments)
    console = Console(width=None if Console().is_terminal else _WIDTH)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {text}", highlight=False)

    here = Machine.here()
    with _stage(here) as stage:
        if asked.smoke:
            return _smoke(console, stage)
        machine = here.describe()
        console.print(machine)
        results = Campaign(stage, asked.rounds, say).run(asked.only or plan.ROW_NAMES)
    report.show(console, results, machine)
    report.write(asked.json, results, machine)
    console.print(f"{time.monotonic() - began:.0f} s; written to {asked.json}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the worker against what people would use instead.",
        epilog=plan.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=plan.ROW_NAMES, metavar="ROW", help="only this row; repeatable"
    )
    parser.add_argument("--rounds", type=int, default=plan.ROUNDS, help="rounds of every comparison")
    parser.add_argument("--json", type=Path, default=_RESULTS, help="where the numbers are written")
    parser.add_argument("--smoke", action="store_true", help="only show that everybody runs and loses nothing")
    return parser


@contextmanager
def _stage(here: Machine) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="config-remediator-bench-") as name:
        folder = Path(name)
        if here.server is not None:
            os.sched_setaffinity(0, {here.server.number})  # whoever watches must not sit on the clients' core
        with redis_server.running(here.server, folder) as redis:
            yield Stage(here, folder, redis, _trust(folder))


def _trust(folder: Path) -> Trust | None:
    """Certificates, where the package for making them is installed."""
    return make_trust(folder) if find_spec("cryptography") else None


def _smoke(console: Console, stage: Stage) -> int:
    drained = smoke(stage)
    for each in drained:
        console.print(_line(each))
    return 0 if all(each.missing or each.settled == each.repaired_once for each in drained) else 1


def _line(each: Drained) -> str:
    if each.missing:
        return f"{each.contender}: missing here; install it with: {each.missing}"
    return f"{each.contender}, {each.condition}: {each.settled} settled, {each.left} left, {each.seconds:.1f} s"

"""The demonstration: break things, start the worker, watch, and let the journal say whether every promise held."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo.catch_up import catch_up
from demo.scene import QUEUE, TERRAFORM_LOOPS, Scene, break_things, prepare
from demo.summary import Finish, judged, problems, show
from demo.worker import stop, wait_until_started, worker, write_configuration
from emulator.client import Emulator
from emulator.process import in_process

_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.2


def main() -> int:
    """Run the demonstration; 0 only if every promise held."""
    console = Console()
    count = _bucket_count()
    with tempfile.TemporaryDirectory(prefix="config-remediator-demo-") as name, in_process() as emulator:
        folder = Path(name)
        log = folder / "worker.log"
        console.print(f"emulator   MNS {emulator.mns}   OSS {emulator.oss}\n           ECS {emulator.ecs}")
        rule_ids = prepare(emulator)
        key = emulator.add_identity(access_key_id="LTAI5tDemoWorker", access_key_secret="secret-of-the-demo-worker")  # noqa: S106 - of this emulator only
        job = emulator.add_identity(access_key_id="LTAI5tDemoCatchUp", access_key_secret="secret-of-the-demo-job")  # noqa: S106 - as above
        configuration = write_configuration(folder, emulator, rule_ids)
        with worker(configuration, key, log) as process:
            console.print(f"worker     process {process.pid}, configuration as in config.example.toml")
            wait_until_started(process, log)
            scene = break_things(emulator, count)
            brought = _watch(console, emulator, process, scene, lambda: catch_up(configuration, job))
            exit_status = stop(process)
        verdict = judged(emulator.journal(), emulator, rule_ids, key, scene)
        finish = Finish(exit_status, verdict, brought, log.read_text(encoding="utf-8", errors="replace"))
        show(console, verdict, len(brought))
        found = list(problems(finish, emulator, scene))
        for problem in found:
            console.print(f"[bold red]✗[/] {problem}")
        if found:
            console.print("\nThe worker's last lines:", *finish.log.splitlines()[-15:], sep="\n", markup=False)
            return 1
    console.print("[bold green]✓[/] every promise held, by the emulator's own journal")
    return 0


def _bucket_count() -> int:
    text = os.environ.get("DEMO_BUCKETS", "200")
    if not text.isascii() or not text.isdigit() or not 10 <= int(text) <= 20_000:
        raise SystemExit(f"DEMO_BUCKETS must be a whole number from 10 to 20000, not {text!r}")
    return int(text)


def _watch(
    console: Console,
    emulator: Emulator,
    process: subprocess.Popen[bytes],
    scene: Scene,
    catch_up: Callable[[], frozenset[str]],
) -> frozenset[str]:
    """Show progress until everything complies and only what has to stay is in the queue, or patience ends.

    Once nothing is left but what no event came for, catch up with that; returns what was brought.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    until = time.monotonic() + _PATIENCE_SECONDS + len(scene.broken) / 20
    loops, brought = 0, frozenset[str]()
    with Progress(*columns, console=console) as progress:
        repaired = progress.add_task("resources repaired", total=len(scene.broken))
        settled = progress.add_task("messages settled", total=None)
        while time.monotonic() < until and process.poll() is None:
            looked_at = time.monotonic()
            broken = set(emulator.non_compliant())
            left = broken.intersection(scene.broken)
            pushed, waiting, kept = _messages(emulator)
            progress.update(repaired, completed=len(scene.broken) - len(left))
            progress.update(settled, completed=pushed - waiting - kept, total=pushed - scene.kept_messages)
            if not brought and left <= {*scene.missed} and scene.contested not in broken and not waiting:
                brought = catch_up()
            loops += _terraform(emulator, scene, loops) if brought else 0
            if not left and not waiting and kept == scene.kept_messages and loops == TERRAFORM_LOOPS:
                return brought
            time.sleep(max(_LOOK_SECONDS, time.monotonic() - looked_at))
    return brought


def _terraform(emulator: Emulator, scene: Scene, loops: int) -> int:
    """Somebody's automation opens its bucket again after each fix; 1 if it did so now."""
    if loops == TERRAFORM_LOOPS or emulator.acls()[scene.contested] == "public-read":
        return 0
    emulator.change_bucket(scene.contested, acl="public-read")
    return 1


def _messages(emulator: Emulator) -> tuple[int, int, int]:
    """Messages that came into the worker's queue, those that can be received, and those that are parked or hidden."""
    pushed = len(emulator.journal(operation="PushToQueue"))
    queue = emulator.state()["mns"]["queues"][QUEUE]
    return pushed, int(queue["active"]), int(queue["delayed"] + queue["inactive"])

"""`demo`, `emulator`, `files` and `completion`: what an installation brings besides the worker."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand
from consumer.cli.values import offered


@click.command(cls=OperatorCommand)
@click.option(
    "--buckets",
    type=click.IntRange(10, 20_000),
    default=200,
    show_default=True,
    envvar="DEMO_BUCKETS",
    help="How many buckets are broken. Also from DEMO_BUCKETS.",
)
def demo(buckets: int) -> int:
    """Break buckets on an emulator on this machine, and watch the worker repair them.

    Needs no account and no configuration: emulator and worker listen and talk on this machine only, and leave nothing
    behind. Real messages go topic, queue, worker, OSS and ECS through the vendor's own SDKs; the verdict comes from the
    emulator's journal. It takes about a minute, and the extra `demo` of the wheel.

    \b
    Examples:
      config-remediator demo
      pipx run --spec './FILE.whl[demo]' config-remediator demo

    Exit status: 0 every promise held, 1 one did not, 2 the extra is not installed.
    """
    from consumer.operator import bundled as carry_out

    carry_out.demo(buckets)


_PORT = click.IntRange(0, 65_535)


@click.command(cls=OperatorCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback by default.")
@click.option(
    "--mns-port", "mns", type=_PORT, metavar="PORT", default=0, help="Port of MNS; 0, the default, takes any free one."
)
@click.option("--oss-port", "oss", type=_PORT, metavar="PORT", default=0, help="Port of OSS; 0 takes any free one.")
@click.option("--ecs-port", "ecs", type=_PORT, metavar="PORT", default=0, help="Port of ECS; 0 takes any free one.")
@click.option(
    "--control-port", "control", type=_PORT, metavar="PORT", default=0, help="Port where buckets are made and broken."
)
def emulator(host: str, **ports: int) -> int:
    """Serve MNS, OSS, ECS and Cloud Config on this machine, to try the worker without an account.

    One line of JSON names the addresses, the account and its key as soon as all ports answer. Everything is kept in
    memory and gone at the end, by Ctrl-C or SIGTERM. It takes the extra `demo` of the wheel. Whoever reaches the
    control port can do everything.

    \b
    Examples:
      config-remediator emulator --mns-port 8001 --oss-port 8002 \\
        --control-port 8003

    Exit status: 0 ended by a signal, 1 a port is taken, 2 the extra is not
    installed.
    """
    from consumer.operator import bundled as carry_out

    carry_out.emulator(host, ports)


@click.command(cls=OperatorCommand)
@click.argument("name", required=False, shell_complete=offered("files"))
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write all of them below DIR.")
@click.option("--runbook", metavar="URL", help="Where your people read the runbook; each alert adds its own anchor.")
def files(name: str | None, folder: Path | None, runbook: str | None) -> int:
    """List the dashboards, alert rules, policies and modules that this version brings; print one, or write all.

    They fit this version's metrics: take them anew with each upgrade.

    \b
    Examples:
      config-remediator files
      config-remediator files dashboards/overview.json
      config-remediator files --to ./config-remediator-files \\
        --runbook https://wiki.example.org/runbook

    Exit status: 0 done, 2 there is no such file, or it cannot be written.
    """
    from consumer.operator import bundled as carry_out

    return carry_out.files(name, folder, runbook)


@click.command(cls=OperatorCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print what makes a shell complete commands, options and their values.

    \b
    Examples:
      eval "$(config-remediator completion bash)"          # in ~/.bashrc
      eval "$(config-remediator completion zsh)"           # in ~/.zshrc
      config-remediator completion fish \\
        > ~/.config/fish/completions/config-remediator.fish

    Exit status: 0 printed.
    """
    from consumer.cli import fish
    from consumer.operator import bundled as carry_out

    fish.provide()
    return carry_out.completion(click.get_current_context().find_root().command, shell)

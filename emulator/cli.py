"""The command line: options in, one JSON line out when all ports accept, a quick and clean end on a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click
import uvloop

from emulator.interruption import called
from emulator.listening import Tls
from emulator.server import run
from emulator.settings import Endpoints, Settings

_DEFAULTS = Settings()
_PORT = click.IntRange(0, 65535)
_PEM = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--host", default=_DEFAULTS.host, help="Address to listen on; loopback keeps it on this machine.")
@click.option("--mns-port", type=_PORT, default=0, help="Port of MNS; 0 takes any free one.")
@click.option("--oss-port", type=_PORT, default=0, help="Port of OSS; 0 takes any free one.")
@click.option("--ecs-port", type=_PORT, default=0, help="Port of ECS; 0 takes any free one.")
@click.option("--control-port", type=_PORT, default=0, help="Port of the control API; 0 takes any free one.")
@click.option("--account-id", default=_DEFAULTS.account_id, help="The emulated account.")
@click.option("--region", default=_DEFAULTS.region, help="Region of MNS, and of buckets that name none.")
@click.option("--access-key-id", default=_DEFAULTS.access_key_id, help="The key that may sign requests.")
@click.option(
    "--access-key-secret",
    default=_DEFAULTS.access_key_secret,
    envvar="EMULATOR_ACCESS_KEY_SECRET",
    help="Its secret; also read from EMULATOR_ACCESS_KEY_SECRET.",
)
@click.option("--seed", type=int, default=0, help="Seed of the dice that faults with a probability throw.")
@click.option("--journal-reads", is_flag=True, help="Journal accepted reads too, not only what changed state.")
@click.option(
    "--block-public-access-by-default",
    is_flag=True,
    help="Give buckets created through OSS Block Public Access, as new buckets of the real service have.",
)
@click.option(
    "--push-to-private-addresses",
    is_flag=True,
    envvar="EMULATOR_PUSH_TO_PRIVATE_ADDRESSES",
    help="Let topics push to HTTP endpoints on private addresses too, not only on loopback.",
)
@click.option("--tls-cert", type=_PEM, help="PEM certificate: serve MNS, OSS and ECS over TLS (control stays plain).")
@click.option("--tls-key", type=_PEM, help="PEM key of --tls-cert.")
def main(tls_cert: Path | None, tls_key: Path | None, **options: object) -> None:
    """Run a development emulator of MNS, OSS bucket configuration, ECS security groups and a small Cloud Config.

    When all four ports accept requests, one JSON line with their URLs and the access key is printed to standard
    output. Everything is kept in memory and gone at the end. SIGTERM or SIGINT end it with exit status 0.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    tls = Tls(tls_cert, tls_key) if tls_cert and tls_key else None
    settings = Settings(**options, tls=tls)  # type: ignore[arg-type]  # click has converted each to its field's type
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signalled(settings))
    except BrokenPipeError:
        raise  # whoever started it was stopped meanwhile and reads no line; click ends it without a word
    except OSError as error:
        sys.exit(f"{called('emulator')}: cannot listen: {error}")


async def _until_signalled(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop, _announce)


def _announce(endpoints: Endpoints) -> None:
    click.echo(endpoints.as_json())
    sys.stdout.flush()

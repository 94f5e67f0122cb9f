"""`watch`: one worker, live."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, optional_config_option, output_option


@click.command(cls=OperatorCommand)
@optional_config_option
@click.option("--url", default="", help="The worker's HTTP server; without it, http.host and http.port as configured.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.2),
    default=2.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--once", is_flag=True, help="Show one look and end; --output json does so, too.")
@output_option
def watch(path: Path | None, url: str, interval: float, once: bool, form: str) -> int:
    """Watch one worker: slots, leases, rates, outcomes.

    Reads the worker's own /metrics and shows what is in flight, the outcomes of each rule, whether the books balance,
    which requests fail, and for how long the oldest exposure has been open. Rates begin with the second
    look. In Kubernetes, forward the port of one pod first. Ends with Ctrl-C.

    \b
    Examples:
      config-remediator watch -c config.toml
      kubectl port-forward pod/config-remediator-0 9108 & \\
        config-remediator watch --url http://127.0.0.1:9108
      config-remediator watch --url http://127.0.0.1:9108 -o json

    Exit status: 0 ended by Ctrl-C or after one look, 2 no address of a worker is given, 3 the worker
    does not answer.
    """
    from consumer.operator.watch.run import watch as carry_out

    return carry_out(path, url, form, interval=interval, once=once)

"""`python -m bench.server`: listens, says where in one JSON line on standard output, and serves until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import ssl
import sys

import uvloop

from bench.server.control import Control
from bench.server.ledger import Ledger
from bench.server.mns import Mns
from bench.server.oss import Oss
from bench.server.protocol import listening


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.server", description=__doc__)
    parser.add_argument("--core", type=int, help="the only core to run on")
    parser.add_argument("--visibility-seconds", type=float, default=60.0)
    parser.add_argument("--tls-cert", help="serve MNS and OSS over TLS with this certificate")
    parser.add_argument("--tls-key")
    parser.add_argument("--no-tickets", action="store_true", help="give clients no session to resume")
    return parser.parse_args()


def _context(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if not arguments.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.tls_cert, arguments.tls_key)
    if arguments.no_tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


async def _serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ledger = Ledger()
    mns, oss = Mns(ledger, arguments.visibility_seconds), Oss(ledger)
    control = await asyncio.start_server(Control(ledger, mns, oss).serve, "127.0.0.1", 0)
    context = _context(arguments)
    listeners = {
        name: await loop.create_server(listening(service), "127.0.0.1", 0, ssl=context, backlog=1024)
        for name, service in (("mns", mns), ("oss", oss))
    }
    ports = {name: server.sockets[0].getsockname()[1] for name, server in (("control", control), *listeners.items())}
    try:
        os.write(sys.stdout.fileno(), f"{json.dumps(ports)}\n".encode())
    except BrokenPipeError:
        return  # whoever started it and waited for this line has ended
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # whoever started it decides when it ends
    await stopped.wait()
    control.close()


def main() -> None:
    """Serve until SIGTERM."""
    arguments = _arguments()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # thousands of messages in memory, and nothing here makes cycles
    uvloop.run(_serve(arguments))


if __name__ == "__main__":
    main()

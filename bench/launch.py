"""`python -m bench.launch [--core N] [--local-names] MODULE …`: runs a program as `python -m MODULE …` would.

The same for every measured program: it keeps it on one core, and makes the bucket names below `oss-bench.test` lead to
this machine, which stands in for DNS. Nothing else of the program is touched; certificates are verified as ever.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys
from typing import Any

from bench.names import DOMAIN


def resolve_locally() -> None:
    """From now on this process and its children find every name below the benchmark's domain on this machine."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        local = isinstance(name, str) and (name == DOMAIN or name.endswith(f".{DOMAIN}"))
        return original("127.0.0.1" if local else host, port, *arguments, **more)

    socket.getaddrinfo = getaddrinfo


def main() -> None:
    """Run the program that the arguments name."""
    arguments = sys.argv[1:]
    while arguments and arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option == "--core":
            os.sched_setaffinity(0, {int(arguments.pop(0))})
        elif option == "--local-names":
            resolve_locally()
        else:
            sys.exit(f"bench.launch knows no {option}")
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

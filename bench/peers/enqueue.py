"""`python -m bench.peers.enqueue APP FIRST COUNT PER_SECOND`: hands buckets to a Redis peer, evenly or at once (0).

Prints the moment at which each was enqueued, on the clock that the canned server uses too, as one JSON list.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module


def main() -> None:
    """Enqueue and end."""
    app = import_module(f"bench.peers.{sys.argv[1]}")
    first, count, per_second = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    begin, moments = time.monotonic(), []
    for index in range(count):
        if per_second:
            time.sleep(max(0.0, begin + index / per_second - time.monotonic()))
        moments.append(time.monotonic())
        app.enqueue(f"bench-{first + index:06}")
    print(json.dumps(moments))  # noqa: T201 - what whoever started it reads


if __name__ == "__main__":
    main()

"""What somebody may name as a journal, and is none."""

from __future__ import annotations

FOREIGN = {
    "passwd": b"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
    "log": b'{"event": "delivery.settled", "level": "info", "disposition": "parked", "resource": "photos"}\n' * 3,
    "other chain": b'{"v":2,"seq":1,"step":"settled","hash":"0000"}\n{"seq":2}\n',
    "no line end": b"x" * 100_000,
    "a newline": b"\n",
}
NO_LINE_YET = {"empty": b"", "torn": b'{"v":2,"seq":1,"step":"ope', "zeros": b"\0" * 8_192}
"""A journal that is just begun, and what a crash may leave of one."""

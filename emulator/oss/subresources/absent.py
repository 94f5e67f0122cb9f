"""Things a bucket never has here, answered as the service answers for a bucket that has none.

Only their reading is emulated; putting them is refused as not implemented.
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Handler, Level, Operation, OssCall, answer
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.xml import Node


def _missing(refused: Oss) -> Handler:
    def get(call: OssCall) -> Response:
        raise OssRefusal(refused, BucketName=call.name)

    return get


def _empty(root: str, *nodes: Node) -> Handler:
    def get(_call: OssCall) -> Response:
        return answer(root, list(nodes))

    return get


def _names(call: OssCall) -> Response:
    return answer("ListCnameResult", [("Bucket", call.name), ("Owner", call.bucket.owner_id)])


_END: Node = ("IsTruncated", "false")

OPERATIONS = (
    Operation(
        "GetBucketWorm", Level.BUCKET, "GET", "worm",
        _missing(Oss.NO_WORM), reads=True,
    ),
    Operation(
        "GetBucketReplication", Level.BUCKET, "GET", "replication",
        _missing(Oss.NO_REPLICATION), reads=True,
    ),
    Operation(
        "ListBucketInventory", Level.BUCKET, "GET", "inventory",
        _missing(Oss.NO_INVENTORY), reads=True,
    ),
    Operation(
        "ListLiveChannel", Level.BUCKET, "GET", "live",
        _empty("ListLiveChannelResult", ("Prefix", ""), ("Marker", ""), ("MaxKeys", "100"), _END, ("NextMarker", "")),
        reads=True,
    ),
    Operation("ListCname", Level.BUCKET, "GET", "cname", _names, reads=True),
)  # fmt: skip

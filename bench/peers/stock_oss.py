"""The OSS half of a repair through oss2 as it comes: what every program without a session of its own shares."""

from __future__ import annotations

import json
from typing import Any

import oss2

from bench.names import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from bench.settings import Settings


class StockOss:
    """Repairs buckets over one shared `oss2.Session`, which is how the SDK's manual says to do it."""

    def __init__(self, settings: Settings) -> None:
        self._endpoint = settings.oss_endpoint
        self._calls = settings.calls
        # Signature V1 is the cheaper one: whoever is compared with the worker is given the advantage.
        self._auth = oss2.Auth(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
        self._session = oss2.Session(pool_size=max(10, settings.workers))

    def repair(self, name: str) -> None:
        """Make one bucket private."""
        repair(oss2.Bucket(self._auth, self._endpoint, name, session=self._session), self._calls)


def repair(bucket: Any, calls: tuple[str, ...]) -> None:
    """Send the named requests; raises RuntimeError unless the last look finds the bucket private."""
    seen = "private"
    for call in calls:
        match call:
            case "GetBucketInfo":
                seen = bucket.get_bucket_info().acl.grant
            case "PutBucketAcl":
                bucket.put_bucket_acl(oss2.BUCKET_ACL_PRIVATE)
            case _:
                raise ValueError(f"no such call here: {call}")
    if seen != "private":
        raise RuntimeError(f"{bucket.bucket_name} is {seen}")


def bucket_of(body: str) -> str:
    """The bucket that an event names."""
    event = json.loads(body)
    return str(event["evaluationResultIdentifier"]["evaluationResultQualifier"]["resourceId"])

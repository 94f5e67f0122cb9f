"""`python -m bench.peers.floor SETTINGS`: the same HTTP exchanges without the SDKs, signed by hand over urllib3.

What is left when everything else is taken away and an HTTP library for production is kept: a floor for anything that
speaks to the services from Python with this library.
"""

from __future__ import annotations

import base64
import hmac
import sys
import threading
import time
from collections.abc import Sequence
from email.utils import formatdate
from hashlib import md5, sha1
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import urllib3
from urllib3.util import create_urllib3_context

from bench.names import ACCESS_KEY_ID, ACCESS_KEY_SECRET, DOMAIN, QUEUE
from bench.peers.pool import BATCH, Task, serve
from bench.settings import Settings

_SPACE = "{http://mns.aliyuncs.com/doc/v1}"
_MESSAGES = f"/queues/{QUEUE}/messages"
_RECEIVE = f"{_MESSAGES}?numOfMessages={BATCH}&waitseconds=30"
_SECRET = ACCESS_KEY_SECRET.encode()
_TIMEOUT = urllib3.Timeout(connect=5, read=40)


def _signature(text: str) -> str:
    return base64.b64encode(hmac.new(_SECRET, text.encode(), sha1).digest()).decode()


class _Pools(threading.local):
    """One pool per thread over one TLS context, as the fastest way to use the library."""

    def __init__(self) -> None:
        self.manager = urllib3.PoolManager(num_pools=4, maxsize=1, ssl_context=_CONTEXT, retries=False)


_CONTEXT = create_urllib3_context()
_CONTEXT.load_default_certs()


class FloorQueue:
    """The queue's three requests."""

    def __init__(self, settings: Settings, pools: _Pools) -> None:
        self._endpoint = settings.mns_endpoint
        self._pools = pools

    def receive(self) -> Sequence[Task]:
        """Up to a batch, none when the queue stays empty."""
        answer = self._ask("GET", _RECEIVE, b"")
        if answer.status == 404:
            return []
        messages = ET.fromstring(answer.data)  # noqa: S314 - from the canned server
        return [
            Task(each.findtext(f"{_SPACE}ReceiptHandle", ""), each.findtext(f"{_SPACE}MessageBody", ""))
            for each in messages
        ]

    def delete(self, handles: Sequence[str]) -> None:
        """Delete a batch."""
        inner = "".join(f"<ReceiptHandle>{handle}</ReceiptHandle>" for handle in handles)
        body = f'<ReceiptHandles xmlns="http://mns.aliyuncs.com/doc/v1/">{inner}</ReceiptHandles>'
        if self._ask("DELETE", _MESSAGES, body.encode()).status != 204:
            raise RuntimeError("a deletion failed")

    def _ask(self, method: str, target: str, body: bytes) -> urllib3.BaseHTTPResponse:
        date = formatdate(time.time(), usegmt=True)
        kind = "text/xml;charset=utf-8" if body else ""
        digest = base64.b64encode(md5(body, usedforsecurity=False).hexdigest().encode()).decode() if body else ""
        signed = _signature(f"{method}\n{digest}\n{kind}\n{date}\nx-mns-version:2015-06-06\n{target}")
        headers = {
            "date": date,
            "x-mns-version": "2015-06-06",
            "authorization": f"MNS {ACCESS_KEY_ID}:{signed}",
            **({"content-type": kind, "content-md5": digest} if body else {}),
        }
        url = self._endpoint + target
        return self._pools.manager.request(method, url, body=body or None, headers=headers, timeout=_TIMEOUT)


class FloorOss:
    """The requests of one repair."""

    def __init__(self, settings: Settings, pools: _Pools) -> None:
        self._base = urlsplit(settings.oss_endpoint)
        self._calls = settings.calls
        self._pools = pools

    def repair(self, bucket: str) -> None:
        """Make one bucket private."""
        seen = "private"
        for call in self._calls:
            if call == "PutBucketAcl":
                self._ask("PUT", bucket, "acl", {"x-oss-acl": "private"})
            else:
                info = ET.fromstring(self._ask("GET", bucket, "bucketInfo", {}))  # noqa: S314 - from the canned server
                seen = info.findtext("Bucket/AccessControlList/Grant", "")
        if seen != "private":
            raise RuntimeError(f"{bucket} is {seen}")

    def _ask(self, method: str, bucket: str, parameter: str, signed_headers: dict[str, str]) -> bytes:
        date = formatdate(time.time(), usegmt=True)
        lines = "".join(f"{name}:{value}\n" for name, value in signed_headers.items())
        signed = _signature(f"{method}\n\n\n{date}\n{lines}/{bucket}/?{parameter}")
        headers = {"date": date, "authorization": f"OSS {ACCESS_KEY_ID}:{signed}", **signed_headers}
        answer = self._pools.manager.request(method, self._url(bucket, parameter), headers=headers, timeout=_TIMEOUT)
        if answer.status != 200:
            raise RuntimeError(f"{method} ?{parameter} was answered with {answer.status}")
        return answer.data

    def _url(self, bucket: str, parameter: str) -> str:
        if self._base.hostname == DOMAIN:
            return f"{self._base.scheme}://{bucket}.{self._base.netloc}/?{parameter}"
        return f"{self._base.scheme}://{self._base.netloc}/{bucket}/?{parameter}"


def main() -> None:
    """Serve until killed."""
    settings = Settings.load(sys.argv[1])
    pools = _Pools()
    serve(settings.workers, lambda: FloorQueue(settings, pools), FloorOss(settings, pools).repair)


if __name__ == "__main__":
    main()

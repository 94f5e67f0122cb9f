"""Computes what a correctly signed request carries, for both signature versions; compares nothing itself.

V2 signs path and query exactly as they were sent. V4 signs them in canonical form and derives its key from date
and region.
Sources: https://www.alibabacloud.com/help/en/mns/developer-reference/sign-requests and the signers of the official
Java SDK, whose published vectors are in the tests.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, unquote

from emulator.http import Request

V4_PREFIX = "MNS4-HMAC-SHA256"
V4_SCOPE_END = "aliyun_v4_request"
V4_SERVICE = "mns"
_MNS_HEADER = "x-mns-"
_V4_HEADERS = frozenset({"content-type", "content-md5"})


def sign_v2(secret: str, text: str) -> str:
    """The signature of a V2 string to sign."""
    return b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()


def v2_strings_to_sign(request: Request) -> Iterator[str]:
    """What a client may have signed: `x-mns-date`, when it is there, stands in for `Date`.

    Clients that send both disagree on which of them goes into the date's line, so both count.
    """
    headers = request.headers
    signed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith(_MNS_HEADER))
    head = f"{request.method}\n{headers.get('content-md5', '')}\n{headers.get('content-type', '')}\n"
    dates = dict.fromkeys(headers[name] for name in ("x-mns-date", "date") if name in headers)
    for date in dates:
        yield f"{head}{date}\n{signed}{request.target}"


def canonical_request(method: str, path: str, query: str, headers: Mapping[str, str]) -> str:
    """The V4 canonical request; `path` and `query` as sent, `headers` by lower-case name."""
    parameters = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        parameters[_encoded(unquote(name).lower().strip())] = _encoded(unquote(value).strip())
    canonical_query = "&".join(f"{name}={value}" if value else name for name, value in sorted(parameters.items()))
    signed = "".join(
        f"{name}:{headers[name].strip()}\n"
        for name in sorted(headers)
        if name in _V4_HEADERS or name.startswith(_MNS_HEADER)
    )
    return f"{method}\n{quote(unquote(path), safe='/~')}\n{canonical_query}\n{signed}\n"


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def sign_v4(secret: str, moment: datetime, region: str, canonical: str) -> str:
    """The signature of a V4 canonical request at a UTC moment, as lower-case hexadecimal digits."""
    date = moment.strftime("%Y%m%d")
    text = "\n".join(
        (
            V4_PREFIX,
            moment.strftime("%Y%m%dT%H%M%SZ"),
            f"{date}/{region}/{V4_SERVICE}/{V4_SCOPE_END}",
            canonical,
        )
    )
    return hmac.digest(v4_key(secret, date, region), text.encode(), hashlib.sha256).hex()


@lru_cache(maxsize=256)
def v4_key(secret: str, date: str, region: str) -> bytes:
    """The signing key that V4 derives for one day (`yyyymmdd`) and one region."""
    key = f"aliyun_v4{secret}".encode()
    for part in (date, region, V4_SERVICE, V4_SCOPE_END):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key

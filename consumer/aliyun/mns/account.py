"""The SDK's account, whose connection over TLS uses the context that all connections share."""

from __future__ import annotations

from http.client import HTTPSConnection
from urllib.parse import urlsplit

from mns.account import Account
from mns.mns_http import MNSHTTPSConnection

from consumer.aliyun import tls
from consumer.aliyun.credentials import CredentialsProvider


class _SharingConnection(MNSHTTPSConnection):  # type: ignore[misc] # the SDK carries no types
    def __init__(self, host: str) -> None:
        HTTPSConnection.__init__(self, host, context=tls.trusting())  # the SDK's own takes no context
        self.request_length = 0


def account(endpoint: str, credentials: CredentialsProvider) -> Account:
    """An account at `https://<account>.mns.<region>.aliyuncs.com`; nothing connects before the first request.

    The SDK makes its connection itself, and over TLS loads every authority for it. So it makes a plain one, which is
    never used: one for TLS takes its place.
    """
    parts = urlsplit(endpoint)
    made = Account(f"http://{parts.netloc}", credentials_provider=credentials)
    if parts.scheme == "https":
        http = made.mns_client.http
        http.conn, http.is_https = _SharingConnection(parts.netloc), True  # else a new timeout would end TLS
    return made

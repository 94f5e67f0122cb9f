"""Identity tokens as a cluster projects them into pods; nobody who checks a signature would take them."""

from __future__ import annotations

import base64
import json

PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0000000000000000000000000000000"

_NEVER = 4_102_444_800


def identity_token(
    *, subject: str = "system:serviceaccount:config-remediator:config-remediator", expires_at: int = _NEVER
) -> str:
    """A JSON Web Token of that subject; the end is in seconds since the epoch."""
    claims = {
        "iss": "https://oidc.example.com",
        "sub": subject,
        "aud": ["sts.aliyuncs.com"],
        "iat": 1_000_000,
        "exp": expires_at,
    }
    head = {"alg": "RS256", "kid": "a-key"}
    return ".".join((*(_encoded(json.dumps(part).encode()) for part in (head, claims)), _encoded(b"no signature")))


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")

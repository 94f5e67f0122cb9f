"""What a whole process writes at its most talkative: everything but secrets."""

from __future__ import annotations

import pytest

from tests.faults.replica import Key
from tests.faults.stage import Stage, until

_TELLTALES = ("OSS4-HMAC-SHA256", "Signature=", "Authorization", "authorization", "security-token", "aliyun_v4")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_nothing_a_worker_prints_or_exports_holds_a_secret(stage: Stage, log_format: str) -> None:
    """At debug level, through repairs, refusals by both services and a retry, neither secret, token nor signature."""
    identity = stage.emulator.add_identity(temporary=True)
    token = identity.security_token or ""
    assert token
    key = Key(identity.access_key_id, identity.access_key_secret)
    replica = stage.replica(
        key=key,
        ALIBABA_CLOUD_SECURITY_TOKEN=token,
        REMEDIATOR__LOG__LEVEL="debug",
        REMEDIATOR__LOG__FORMAT=log_format,
    )
    stage.emulator.create_buckets(["photos"], acl="public-read")
    for service, operation in (("oss", "PutBucketAcl"), ("mns", "BatchDeleteMessage")):
        fault = {"service": service, "status": 403, "code": "SignatureDoesNotMatch", "count": 1}
        stage.emulator.faults.add("error", operation, message=f"not {identity.access_key_secret}", **fault)
    stage.emulator.faults.add("not_xml", "GetBucketInfo", service="oss", count=1)
    replica.start()
    assert until(lambda: not stage.broken())
    exported = replica.get("/metrics")[1]
    stage.emulator.remove_identity(identity.access_key_id)  # from here on every poll is refused
    assert until(lambda: replica.get("/readyz")[0] == 503)
    replica.stop(30)
    written = replica.text() + exported
    assert "api.answered" in written
    for secret in (identity.access_key_secret, token, *_TELLTALES):
        assert secret not in written

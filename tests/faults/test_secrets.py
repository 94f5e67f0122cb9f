"""What a whole process writes at its most talkative: everything but secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.core.exit_codes import ExitCode
from tests.faults.replica import Key
from tests.faults.stage import Stage, until
from tests.identity_tokens import PROVIDER, identity_token
from tests.patience import PATIENCE_SECONDS

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
    replica.stop(PATIENCE_SECONDS)
    written = replica.text() + exported
    assert "api.answered" in written
    for secret in (identity.access_key_secret, token, *_TELLTALES):
        assert secret not in written


def _in_a_pod(stage: Stage, folder: Path, sts_endpoint: str) -> dict[str, str]:
    """The environment of a pod with RRSA, with everything logged that can be."""
    file = folder / "identity"
    file.write_text(identity_token(), encoding="utf-8")
    return {
        "ALIBABA_CLOUD_ROLE_ARN": f"acs:ram::{stage.emulator.endpoints.account_id}:role/config-remediator",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(file),
        "REMEDIATOR__ACCOUNTS__STS_ENDPOINT": sts_endpoint,
        "REMEDIATOR__LOG__LEVEL": "debug",
    }


def test_a_worker_in_a_pod_shows_neither_its_identity_token_nor_what_it_gets_for_it(
    stage: Stage, tmp_path: Path
) -> None:
    """It repairs with its role, exports when the role's credentials end, and nothing else about them."""
    replica = stage.replica(key=Key(), **_in_a_pod(stage, tmp_path, stage.emulator.control.url))
    stage.emulator.create_buckets(["photos"], acl="public-read")
    replica.start()
    assert until(lambda: not stage.broken())
    exported = replica.get("/metrics")[1]
    replica.stop(PATIENCE_SECONDS)
    assert f'credentials_expiry_timestamp_seconds{{account="{stage.emulator.endpoints.account_id}"}}' in exported
    assumed = [
        key
        for key in stage.emulator.control.call("GET", "/identities")["identities"]
        if key["access_key_id"].startswith("STS.")
    ]
    assert assumed
    for key in assumed:
        for secret in (key["access_key_secret"], key["security_token"], identity_token()):
            assert secret not in replica.text() + exported


def test_a_worker_that_finds_no_sts_says_so_without_its_identity_token(stage: Stage, tmp_path: Path) -> None:
    """The failed request, which holds the token, is shown nowhere; nor is it while the start waits for STS."""
    replica = stage.replica(key=Key(), **_in_a_pod(stage, tmp_path, "http://127.0.0.1:9"))
    replica.start()
    assert until(lambda: "no credentials: RRSA: 127.0.0.1:9" in replica.get("/readyz")[1]), replica.text()
    exported = replica.get("/readyz")[1] + replica.get("/metrics")[1]
    assert replica.stop(PATIENCE_SECONDS) == ExitCode.DRAINED
    assert "startup.waiting" in replica.text()
    assert identity_token() not in replica.text() + exported

"""The OSS gateway with the real oss2: where requests go, what counts as an answer, and what failures are called."""

from __future__ import annotations

import threading
import time

import pytest

from consumer.aliyun.oss.client import Oss, OssBucket, OssSettings
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.errors import (
    AccountSuspended,
    DamagedReply,
    DeniedByResource,
    NotAuthenticated,
    PermissionMissing,
    PublicAccessBlocked,
    ResourceGone,
    ServiceError,
    Throttled,
    Unanswered,
)
from consumer.core.observers import Hooks
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.kind import BUCKETS
from emulator.client import Emulator
from tests.integration.conftest import FixedCredentials, Recorder
from tests.patience import PATIENCE_SECONDS


def impatient(hooks: Hooks, attempts: int = 1) -> Retrier:
    """Tries a request so often, without pauses to speak of."""
    return Retrier(RetryPolicy(attempts, 0.001, 0.002), hooks, threading.Event())


@pytest.fixture
def oss(emulator: Emulator, credentials: FixedCredentials, recorder: Recorder) -> Oss:
    """The gateway, with every region at the emulator."""
    settings = OssSettings(Endpoints({"*": emulator.oss}), call_timeout_seconds=2)
    hooks = Hooks((recorder,))
    return Oss(settings, credentials, hooks, impatient(hooks))


def opened(oss: Oss, emulator: Emulator, name: str, *, attempts: int = 1, recorder: Recorder | None = None) -> Bucket:
    hooks = Hooks((recorder,)) if recorder else Hooks()
    known = emulator.endpoints
    until = time.monotonic() + PATIENCE_SECONDS
    resource = BUCKETS.resource(known.account_id, known.region, name)
    return OssBucket(oss, resource, impatient(hooks, attempts), lambda: until)


def test_the_live_bucket_is_seen_and_changed(oss: Oss, emulator: Emulator) -> None:
    """Owner, region and ACL are read, and an ACL that was set is read back."""
    emulator.create_buckets(["photos"], acl="public-read")
    bucket = opened(oss, emulator, "photos")
    found = bucket.info()
    assert (found.owner_id, found.region, found.acl) == (
        emulator.endpoints.account_id,
        emulator.endpoints.region,
        "public-read",
    )
    bucket.put_acl("private")
    assert bucket.info().acl == "private"
    oss.close()


def test_a_bucket_in_another_region_is_addressed_there(oss: Oss, emulator: Emulator) -> None:
    """The service names the right endpoint; its region is used, and the answer there has to confirm it."""
    emulator.create_buckets(["photos"], region="cn-beijing", acl="public-read")
    bucket = opened(oss, emulator, "photos")
    assert bucket.info().region == "cn-beijing"
    bucket.put_acl("private")
    oss.close()
    assert emulator.acls() == {"photos": "private"}


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (404, "NoSuchBucket", "", ResourceGone),
        (403, "AccessDenied", "You have no right to access this object.", PermissionMissing),
        (403, "AccessDenied", "The bucket you access does not belong to you.", PermissionMissing),
        (403, "AccessDenied", "Access denied by bucket policy.", DeniedByResource),
        (403, "AccessDenied", "Put public bucket acl is not allowed", PublicAccessBlocked),
        (403, "InvalidAccessKeyId", "", NotAuthenticated),
        (403, "RequestTimeTooSkewed", "", NotAuthenticated),
        (403, "UserDisable", "", AccountSuspended),
        (503, "MetaOperationQpsLimitExceeded", "", Throttled),
        (400, "RequestTimeout", "", Unanswered),
    ],
)
def test_failures_are_distinguished_by_code(
    oss: Oss, emulator: Emulator, status: int, code: str, message: str, error: type[ServiceError]
) -> None:
    """What shares a status, or even a code, still becomes the class that says what to do next."""
    emulator.create_buckets(["photos"])
    emulator.faults.add("error", "PutBucketAcl", service="oss", status=status, code=code, message=message or code)
    with pytest.raises(error) as failed:
        opened(oss, emulator, "photos").put_acl("private")
    assert (failed.value.operation, failed.value.code) == ("PutBucketAcl", code)
    oss.close()


def test_a_redirect_is_never_followed(oss: Oss, emulator: Emulator) -> None:
    """A redirected change is a damaged reply, and the place it points to hears nothing."""
    emulator.create_buckets(["photos"], acl="public-read")
    emulator.faults.add("redirect", "PutBucketAcl", service="oss", location=f"{emulator.oss}/photos/?acl=", count=1)
    with pytest.raises(DamagedReply):
        opened(oss, emulator, "photos").put_acl("private")
    oss.close()
    assert emulator.acls() == {"photos": "public-read"}


@pytest.mark.parametrize("kind", ["not_xml", "web_page", "damaged_xml", "truncated"])
def test_an_answer_that_is_none_changes_nothing_we_believe(oss: Oss, emulator: Emulator, kind: str) -> None:
    """A web page or half a document instead of the bucket's state is an error to retry, never a state."""
    emulator.create_buckets(["photos"])
    emulator.faults.add(kind, "GetBucketInfo", service="oss", count=1)
    with pytest.raises((DamagedReply, Unanswered)):
        opened(oss, emulator, "photos").info()
    oss.close()


def test_what_passes_is_tried_again_within_the_budget(oss: Oss, emulator: Emulator, recorder: Recorder) -> None:
    """Throttling, a reset and a damaged reply in a row are survived by one call, and each retry is told."""
    emulator.create_buckets(["photos"], acl="public-read")
    emulator.faults.add("error", "GetBucketInfo", status=503, code="MetaOperationQpsLimitExceeded", count=1)
    emulator.faults.add("reset_before", "GetBucketInfo", count=2)  # the second is the transparent new connection
    emulator.faults.add("not_xml", "GetBucketInfo", count=1)
    assert opened(oss, emulator, "photos", attempts=5, recorder=recorder).info().acl == "public-read"
    assert [retry.operation for retry in recorder.retries] == ["GetBucketInfo"] * 3
    oss.close()


def test_a_server_that_never_answers_is_noticed(emulator: Emulator, credentials: FixedCredentials) -> None:
    """A stalled request ends with its deadline."""
    emulator.create_buckets(["photos"])
    settings = OssSettings(Endpoints({"*": emulator.oss}), call_timeout_seconds=0.3)
    oss = Oss(settings, credentials, Hooks(), impatient(Hooks()))
    emulator.faults.add("stall", "GetBucketInfo", service="oss", seconds=30)
    with pytest.raises(Unanswered) as failed:
        opened(oss, emulator, "photos").info()
    emulator.faults.clear()
    oss.close()
    assert failed.value.code == "timeout"


def test_the_machines_proxy_and_netrc_do_not_matter(
    oss: Oss, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a proxy in the environment nor anything else of the machine comes between us and the endpoint."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    emulator.create_buckets(["photos"])
    assert opened(oss, emulator, "photos").info().acl == "private"
    oss.close()


def test_the_ids_of_all_requests_are_kept_for_the_services_support(
    oss: Oss, emulator: Emulator, recorder: Recorder
) -> None:
    """What was asked of a bucket, refusals included, can be named to the service afterwards."""
    emulator.create_buckets(["photos"], acl="public-read")
    emulator.faults.add("error", "PutBucketAcl", service="oss", status=503, code="ServiceUnavailable", count=1)
    bucket = opened(oss, emulator, "photos", attempts=2)
    bucket.info()
    bucket.put_acl("private")
    oss.close()
    assert bucket.request_ids == [call.request_id for call in recorder.calls]
    assert len(bucket.request_ids) == 3

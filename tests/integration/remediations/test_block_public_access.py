"""Block Public Access: switched on, read back through oss2, switched off again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.aliyun.oss.session import OssResponse, OssSession
from consumer.core.outcome import Outcome
from tests.integration.remediations.cases import BLOCK, PUBLIC_STATEMENT, policy
from tests.integration.remediations.workbench import BUCKET, Workbench, repaired_and_undone


def test_a_public_bucket_is_closed_and_opened_again(bench: Workbench) -> None:
    """The switch goes on and reads back as a boolean; the ending names the grants that it makes harmless."""
    ending = repaired_and_undone(bench, BLOCK)

    assert (ending.before, ending.after) == ("false", "true")
    assert ending.reason == "public_but_blocked"
    assert ending.detail == "its ACL would let anyone in if Block Public Access were switched off"


def test_what_is_sent_reads_back_in_every_client(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """`True`, as oss2 would print it, is no boolean to whoever reads it: the request says `true`."""
    sent: list[bytes] = []
    send = OssSession.do_request

    def recorded(session: OssSession, request: Any, timeout: float) -> OssResponse:
        sent.append(request.data)
        return send(session, request, timeout)

    monkeypatch.setattr(OssSession, "do_request", recorded)
    bench.create(BLOCK)

    bench.repair(BLOCK)

    assert [body for body in sent if body] == [
        b"<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>"
    ]
    assert bench.bucket().public_access_block() is True


def test_both_ways_in_are_named(bench: Workbench) -> None:
    """ACL and policy can both be public behind the switch."""
    bench.create(replace(BLOCK, broken={"acl": "public-read", "policy": policy(PUBLIC_STATEMENT)}))

    ending = bench.repair(BLOCK)

    assert ending.detail == "its ACL and its policy would let anyone in if Block Public Access were switched off"


def test_a_bucket_that_is_blocked_already_is_left_alone(bench: Workbench) -> None:
    """Nothing is sent when somebody was faster."""
    bench.create(replace(BLOCK, broken={"public_access_block": True}))

    assert bench.repair(BLOCK).outcome is Outcome.ALREADY_COMPLIANT
    assert bench.changes() == []
    assert bench.actions == {"oss:GetBucketPublicAccessBlock"}, "its ACL is private, so nothing else is looked at"
    assert bench.settings()["name"] == BUCKET

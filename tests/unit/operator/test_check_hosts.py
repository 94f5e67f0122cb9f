"""Which hosts `check` sends a request to: those that the rules' kinds of resources lead to, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.config import load
from consumer.operator.check import hosts
from consumer.operator.check.findings import Status
from consumer.operator.check.probe import ProbeResult

_HEAD = 'account_id = "1234567890123456"\n[queue]\nregion = "cn-hangzhou"\nname = "config-events"\n'
_BUCKETS = """
[[rules]]
name = "acl"
remediation = "oss.bucket-acl"
mode = "observe"
rule_names = ["*"]
regions = ["cn-hangzhou", "cn-shanghai"]
"""
_GROUPS = """
[[rules]]
name = "groups"
remediation = "ecs.revoke-public-ingress"
mode = "observe"
rule_names = ["*"]
regions = ["cn-beijing"]
"""
_INTERNAL = "\n[oss]\ninternal = true\n"


@pytest.mark.parametrize(
    ("rules", "buckets_in"),
    [(_BUCKETS, ["cn-hangzhou", "cn-shanghai"]), (_BUCKETS + _GROUPS, ["cn-hangzhou", "cn-shanghai"]), (_GROUPS, [])],
)
def test_oss_is_checked_where_rules_are_about_buckets(
    rules: str, buckets_in: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region that only a rule for another kind names needs no endpoint of OSS."""
    sent: list[str] = []

    def answered(url: str, *_seconds: float) -> ProbeResult:
        sent.append(url)
        return ProbeResult(from_service=True, skew_seconds=0.0)

    monkeypatch.setattr(hosts, "ask", answered)
    path = tmp_path / "config.toml"
    path.write_text(_HEAD + rules, encoding="utf-8")
    found = list(hosts.look(load(path, {})))

    mns, *oss = sent
    assert "mns" in mns
    assert oss == [f"https://oss-{region}.aliyuncs.com" for region in buckets_in]
    assert {each.status for each in found} == {Status.OK}


def test_buckets_out_of_reach_are_those_of_rules_about_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint inside the network reaches one region; what other kinds need there is not its concern."""
    monkeypatch.setattr(hosts, "ask", lambda *_: ProbeResult(from_service=True, skew_seconds=0.0))
    path = tmp_path / "config.toml"
    path.write_text(_HEAD + _INTERNAL + _GROUPS, encoding="utf-8")
    assert {each.status for each in hosts.look(load(path, {}))} == {Status.OK}
    path.write_text(_HEAD + _INTERNAL + _GROUPS + _BUCKETS, encoding="utf-8")
    failed = [each for each in hosts.look(load(path, {})) if each.status is Status.FAILED]
    assert [each.check for each in failed] == [hosts.REGIONS]
    assert "cn-shanghai" in failed[0].message
    assert "cn-beijing" not in failed[0].message

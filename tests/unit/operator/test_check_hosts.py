"""Which hosts `check` sends a request to: those that the rules' kinds of resources lead to, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.aliyun.standard_chain import StandardChain
from consumer.app.prerequisites import Prerequisites
from consumer.config import load
from consumer.core.errors import Unanswered
from consumer.operator.check import hosts
from consumer.operator.check.findings import Status
from consumer.operator.check.probe import NoAnswer, ProbeResult

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

    monkeypatch.setattr(hosts, "probe", answered)
    path = tmp_path / "config.toml"
    path.write_text(_HEAD + rules, encoding="utf-8")
    found = list(hosts.look(load(path, {})))

    mns, *oss = sent
    assert "mns" in mns
    assert oss == [f"https://oss-{region}.aliyuncs.com" for region in buckets_in]
    assert {each.status for each in found} == {Status.OK}


def test_buckets_out_of_reach_are_those_of_rules_about_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint inside the network reaches one region; what other kinds need there is not its concern."""
    monkeypatch.setattr(hosts, "probe", lambda *_: ProbeResult(from_service=True, skew_seconds=0.0))
    path = tmp_path / "config.toml"
    path.write_text(_HEAD + _INTERNAL + _GROUPS, encoding="utf-8")
    assert {each.status for each in hosts.look(load(path, {}))} == {Status.OK}
    path.write_text(_HEAD + _INTERNAL + _GROUPS + _BUCKETS, encoding="utf-8")
    failed = [each for each in hosts.look(load(path, {})) if each.status is Status.FAILED]
    assert [each.check for each in failed] == [hosts.REGIONS]
    assert "cn-shanghai" in failed[0].message
    assert "cn-beijing" not in failed[0].message


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("name_not_found", "DNS"),
        ("tls", "SSL_CERT_FILE"),
        ("refused", "whether anything listens"),
        ("timeout", "egress rules"),
        ("reset", "the network's way there"),
    ],
)
@pytest.mark.parametrize(
    ("endpoint", "key"),
    [("", "queue.region and account_id"), ('endpoint = "https://mns.example.com"\n', "queue.endpoint")],
)
def test_a_start_that_waits_says_what_check_says(
    code: str, remedy: str, endpoint: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same remedy, by the cause and not by the most frequent one, with the key that names the host."""
    (tmp_path / "config.toml").write_text(_HEAD + endpoint + _GROUPS, encoding="utf-8")
    config = load(tmp_path / "config.toml", {})

    def silent(*_: object) -> NoReturn:
        raise NoAnswer(code, "no answer")

    monkeypatch.setattr(hosts, "probe", silent)
    (checked,) = [each for each in hosts.look(config) if each.check == hosts.MNS]
    start = Prerequisites(config, KeptCredentials(StandardChain()), silent, silent)
    reason = start.explain(Unanswered("mns", "GetQueueAttributes", code, "no answer"))
    assert remedy in checked.remedy
    assert reason == f"{config.mns_endpoint} cannot be reached ({code}): {checked.remedy}"
    assert checked.remedy.endswith(f"the key is {key}")

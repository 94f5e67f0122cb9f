"""Which managed rules exist, and one of them as an account has configured it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from emulator.cloudconfig import evaluations, security_group_evaluations
from emulator.cloudconfig.configuration import BUCKET, SECURITY_GROUP, Configuration
from emulator.cloudconfig.verdict import Verdict


class RiskLevel(StrEnum):
    """Risk levels as events name them: high, medium, low."""

    CRITICAL = "Critical"
    WARNING = "Warning"
    INFO = "Info"


@dataclass(frozen=True, slots=True)
class ManagedRule:
    """One rule of the service's catalogue."""

    identifier: str
    """Documented as the rule's identifier; events of the log service call it `sourceIdentifier`."""
    title: str
    """What the console proposes as the name of the account's rule, in the console's language."""
    risk_level: RiskLevel
    evaluate: Callable[[Any, Mapping[str, str]], Verdict]
    """Judges a configuration of the rule's resource type by the parameters."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Defaults of the rule's parameters."""
    resource_type: str = BUCKET


@dataclass(frozen=True, slots=True)
class Rule:
    """One managed rule as configured: events carry its id and its free name, not its identifier."""

    id: str
    name: str
    managed: ManagedRule
    risk_level: RiskLevel
    parameters: Mapping[str, str]

    def evaluate(self, resource: Configuration) -> Verdict:
        """Judge one resource of the rule's type."""
        return self.managed.evaluate(resource, self.parameters)


_HIGH, _MEDIUM, _LOW = RiskLevel.CRITICAL, RiskLevel.WARNING, RiskLevel.INFO

CATALOGUE: Mapping[str, ManagedRule] = MappingProxyType(
    {
        managed.identifier: managed
        for managed in (
            ManagedRule(
                "oss-bucket-public-read-prohibited",
                "OSS存储空间ACL禁止公共读",
                _HIGH,
                evaluations.public_read_prohibited,
            ),
            ManagedRule(
                "oss-bucket-public-write-prohibited",
                "OSS存储空间ACL禁止公共读写",
                _HIGH,
                evaluations.public_write_prohibited,
            ),
            ManagedRule(
                "oss-bucket-anonymous-prohibited",
                "OSS存储空间不能为匿名账号授予权限",
                _HIGH,
                evaluations.anonymous_prohibited,
            ),
            ManagedRule(
                "oss-bucket-policy-no-any-anonymous",
                "OSS存储空间授权策略不能为匿名账号赋予任何权限",
                _HIGH,
                evaluations.policy_no_any_anonymous,
            ),
            ManagedRule(
                "oss-bucket-only-https-enabled",
                "OSS存储空间权限策略设置安全访问",
                _LOW,
                evaluations.only_https_enabled,
            ),
            ManagedRule(
                "oss-bucket-server-side-encryption-enabled",
                "OSS存储空间开启服务端加密",
                _HIGH,
                evaluations.server_side_encryption_enabled,
            ),
            ManagedRule(
                "oss-default-encryption-kms",
                "OSS存储空间开启服务端KMS加密",
                _MEDIUM,
                evaluations.default_encryption_kms,
            ),
            ManagedRule(
                "oss-encryption-byok-check",
                "OSS存储空间使用自定义KMS密钥加密",
                _MEDIUM,
                evaluations.encryption_byok,
            ),
            ManagedRule(
                "oss-bucket-versioning-enabled",
                "OSS存储空间开启版本控制",
                _MEDIUM,
                evaluations.versioning_enabled,
            ),
            ManagedRule(
                "oss-bucket-logging-enabled",
                "OSS存储空间开启日志转存",
                _MEDIUM,
                evaluations.logging_enabled,
            ),
            ManagedRule(
                "oss-bucket-logging-prefix-match",
                "OSS存储空间日志前缀符合要求",
                _MEDIUM,
                evaluations.logging_prefix_match,
                {"LogPrefix": "oss-accesslog/"},
            ),
            ManagedRule(
                "oss-bucket-referer-limit",
                "OSS存储空间Referer在指定的防盗链白名单中",
                _LOW,
                evaluations.referer_limit,
                {"allowEmptyReferer": "true", "allowReferers": ""},
            ),
            ManagedRule(
                "oss-bucket-tls-version-check",
                "OSS存储空间TLS版本检测",
                _MEDIUM,
                evaluations.tls_version_check,
                {"tlsVersion": "TLSv1.2,TLSv1.3"},
            ),
            ManagedRule(
                "oss-zrs-enabled",
                "OSS存储空间开启同城冗余存储",
                _MEDIUM,
                evaluations.zrs_enabled,
            ),
            ManagedRule("required-tags", "存在所有指定标签", _LOW, evaluations.required_tags),
            ManagedRule(
                "sg-risky-ports-check",
                "安全组不允许对全部网段开启风险端口",
                _HIGH,
                security_group_evaluations.risky_ports,
                {"ports": "22,3389"},
                SECURITY_GROUP,
            ),
            ManagedRule(
                "ecs-security-group-risky-ports-check-with-protocol",
                "安全组指定协议不允许对全部网段开启风险端口",
                _HIGH,
                security_group_evaluations.risky_ports_with_protocol,
                {"ports": "22,3389", "protocol": "TCP,UDP"},
                SECURITY_GROUP,
            ),
            ManagedRule(
                "sg-public-access-check",
                "安全组入网设置有效",
                _HIGH,
                security_group_evaluations.public_access,
                resource_type=SECURITY_GROUP,
            ),
        )
    }
)
"""By identifier: the rules that the emulated sub-resources can decide."""

DEFAULT_RULES = ("oss-bucket-public-read-prohibited", "oss-bucket-public-write-prohibited")
"""Switched on in a fresh emulator."""


def configured(
    identifier: str,
    *,
    rule_id: str | None = None,
    name: str | None = None,
    risk_level: RiskLevel | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Rule:
    """A rule of the catalogue with what the account chose; what it did not choose comes from the catalogue.

    Raises:
        KeyError: no such identifier.
    """
    managed = CATALOGUE[identifier]
    return Rule(
        rule_id or default_rule_id(identifier),
        name or managed.title,
        managed,
        risk_level or managed.risk_level,
        MappingProxyType({**managed.parameters, **(parameters or {})}),
    )


def default_rule_id(identifier: str) -> str:
    """The id of a rule that was given none: stable, so that configurations can name it before it exists."""
    return f"cr-{hashlib.md5(identifier.encode()).hexdigest()[:20]}"

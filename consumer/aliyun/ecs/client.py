"""The ECS gateway: security groups, with the bounds and the error types this project needs.

Nothing here decides; it asks, retries what is transient within the delivery's budget, and translates every failure
into `consumer.core.errors`. Shared by all workers: a group object is made per delivery, no connection is kept.

Operations: https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-overview
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.ecs import answers
from consumer.aliyun.ecs.errors import ecs_error, sts_error
from consumer.aliyun.openapi import ApiService, CallTimeouts, OpenApi, text
from consumer.aliyun.retry import Retrier
from consumer.aliyun.writes import written_by
from consumer.core.errors import DamagedReply, NotAuthenticated, ResourceGone
from consumer.core.event import REGION
from consumer.core.observers import Hooks
from consumer.resources.base import Resource, Written
from consumer.resources.ecs.security_group import GroupInfo, IngressRule, ListedRule

ECS = ApiService("ecs", "2014-05-26", ecs_error)
STS = ApiService("sts", "2015-04-01", sts_error)

_STS = "https://sts.aliyuncs.com"
"""https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-endpoint"""
_PAGE = 100
"""Rules in one answer. The service gives up to 1,000; with descriptions of 512 characters those are megabytes."""
_MOST_PAGES = 100
"""Ten times as many rules as the service allows in a group at the very most."""
_AT_ONCE = 100
"""The service's limit for rules in one request that changes them."""
_KNOWN_KEYS = 100
"""Access keys whose account is remembered; a worker has one or two at a time for each account."""


@dataclass(frozen=True, slots=True)
class EcsSettings:
    """How ECS is reached."""

    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Full URLs by region id, or by `*` for every region without one of its own."""
    internal: bool = False
    """Whether to use the endpoints inside a VPC."""
    connect_timeout_seconds: float = 5.0
    call_timeout_seconds: float = 10.0
    sts_endpoint: str = ""
    """URL of STS; empty: the one for every region."""

    def url(self, region: str) -> str:
        """The endpoint of a region, with its scheme and without a path.

        https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-endpoint

        Raises:
            ValueError: the text is not a region id; callers check that first, this is the last line of defence.
        """
        if not REGION.fullmatch(region):
            raise ValueError("not a region id")
        override = self.endpoints.get(region) or self.endpoints.get("*")
        return override or f"https://ecs{'-vpc' if self.internal else ''}.{region}.aliyuncs.com"


class Ecs:
    """Opens security groups; one for the process. Implements `consumer.resources.base.Opener`."""

    def __init__(
        self,
        settings: EcsSettings,
        credentials: CredentialsProvider,
        hooks: Hooks,
        retrier: Retrier,
        *,
        members: Mapping[str, CredentialsProvider] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find the vendor's client.

        Raises:
            ConfigurationError: it is not installed.
        """
        timeouts = CallTimeouts(settings.connect_timeout_seconds, settings.call_timeout_seconds)
        self._settings = settings
        self._own = credentials
        self._members = dict(members or {})
        self._api = OpenApi(timeouts, hooks, monotonic=monotonic)
        self._retrier = retrier
        self._accounts: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, resource: Resource, until: Callable[[], float]) -> EcsGroup:
        """A group for one delivery; nothing is sent yet."""
        return EcsGroup(self, resource, until)

    def close(self) -> None:
        """No connection is kept."""

    def call(
        self, group: EcsGroup, operation: str, parameters: Mapping[str, Any], *, writes: bool = False
    ) -> Mapping[str, Any]:
        """One request about a group, tried again where that is worth it. For `EcsGroup`."""
        resource = group.resource
        url, credentials = self._settings.url(resource.region), self._signer(resource.account_id)
        named = {"RegionId": resource.region, **parameters}
        return self._retried(group, ECS, url, credentials, operation, named, writes=writes)

    def account(self, group: EcsGroup) -> str:
        """The account whose credentials are used for a group: one request to STS for each access key. For `EcsGroup`.

        https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity
        """
        credentials = self._signer(group.resource.account_id)
        key_id = credentials.get_credentials().access_key_id
        with self._lock:
            known = self._accounts.get(key_id)
        if known is not None:
            return known
        answer = self._retried(group, STS, self._settings.sts_endpoint or _STS, credentials, "GetCallerIdentity", {})
        account = text(answer, "AccountId")
        if not account:
            raise DamagedReply("sts", "GetCallerIdentity", "damaged_reply", "the answer names no account")
        with self._lock:
            self._accounts[key_id] = account
            if len(self._accounts) > _KNOWN_KEYS:
                self._accounts.popitem(last=False)
        return account

    def _retried(
        self,
        group: EcsGroup,
        service: ApiService,
        url: str,
        credentials: CredentialsProvider,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        writes: bool = False,
    ) -> Mapping[str, Any]:
        def request() -> Mapping[str, Any]:
            answer, request_id = self._api.call(service, url, credentials, operation, parameters)
            if request_id:
                group.request_ids.append(request_id)
            return answer

        one_try = (lambda: written_by(group, request)) if writes else request
        answer = self._retrier.call(one_try, until=group.until)
        group.granted.add(f"{service.name}:{operation}")
        return answer

    def _signer(self, account_id: str) -> CredentialsProvider:
        return self._members.get(account_id, self._own)


class EcsGroup:
    """One security group for one delivery; implements `consumer.resources.ecs.security_group.SecurityGroup`."""

    def __init__(self, ecs: Ecs, resource: Resource, until: Callable[[], float]) -> None:
        self.resource = resource
        self.until = until
        self.request_ids: list[str] = []
        self.granted: set[str] = set()
        self.written = Written.NO
        self._ecs = ecs

    def identity(self) -> GroupInfo:
        """DescribeSecurityGroups, and the account that signed the request.

        Raises:
            ResourceGone: that account has no such group in that region.
            NotAuthenticated: the credentials are another account's, which says nothing about the group.
        """
        account = self._ecs.account(self)
        if account != self.resource.account_id:
            what = f"the credentials for account {self.resource.account_id} are those of account {account}"
            raise NotAuthenticated("sts", "GetCallerIdentity", "wrong_account", what)
        found = self._described()
        created, managed = text(found, "CreationTime"), found.get("ServiceManaged")
        if not created or not isinstance(managed, bool):
            what = "the answer does not say when the group was created, or whether a service manages it"
            raise DamagedReply("ecs", "DescribeSecurityGroups", "damaged_reply", what)
        return GroupInfo(account, self.resource.region, created, managed)

    def tags(self) -> Mapping[str, str]:
        """DescribeSecurityGroups."""
        return answers.tags(self._described(), "DescribeSecurityGroups")

    def ingress(self) -> tuple[ListedRule, ...]:
        """DescribeSecurityGroupAttribute, all pages.

        Raises:
            DamagedReply: the pages do not end, or a rule comes twice.
        """
        operation = "DescribeSecurityGroupAttribute"
        found: dict[str, ListedRule] = {}
        count, token = 0, ""
        for _ in range(_MOST_PAGES):
            parameters = {"Direction": "ingress", "MaxResults": _PAGE, **({"NextToken": token} if token else {})}
            answer = self._call(operation, parameters)
            if text(answer, "SecurityGroupId") != self.resource.resource_id:
                raise DamagedReply("ecs", operation, "wrong_group", "the answer is about another group")
            for rule in answers.ingress_rules(answer, operation):
                found[rule.rule_id] = rule
                count += 1
            token = text(answer, "NextToken")
            if not token:
                break
        if token or count != len(found):
            raise DamagedReply("ecs", operation, "damaged_reply", "the pages of rules do not end, or repeat a rule")
        return tuple(found.values())

    def prefix_list(self, list_id: str) -> tuple[str, ...]:
        """DescribePrefixListAttributes."""
        operation = "DescribePrefixListAttributes"
        answer = self._ecs.call(self, operation, {"PrefixListId": list_id})
        if text(answer, "PrefixListId") != list_id:
            raise DamagedReply("ecs", operation, "wrong_prefix_list", "the answer is about another prefix list")
        return answers.blocks(answer, operation)

    def revoke(self, rule_ids: Sequence[str]) -> None:
        """RevokeSecurityGroup."""
        for first in range(0, len(rule_ids), _AT_ONCE):
            self._write("RevokeSecurityGroup", {"SecurityGroupRuleId": list(rule_ids[first : first + _AT_ONCE])})

    def authorize(self, rules: Sequence[IngressRule]) -> None:
        """AuthorizeSecurityGroup."""
        for first in range(0, len(rules), _AT_ONCE):
            wanted = [answers.requested(rule) for rule in rules[first : first + _AT_ONCE]]
            self._write("AuthorizeSecurityGroup", {"Permissions": wanted})

    def _described(self) -> Mapping[str, Any]:
        """The group, out of the list that was requested for it alone."""
        operation, group_id = "DescribeSecurityGroups", self.resource.resource_id
        answer = self._ecs.call(self, operation, {"SecurityGroupIds": json.dumps([group_id])})
        found = answers.listed(answer, operation, "SecurityGroups", "SecurityGroup")
        if not found:
            what = f"account {self.resource.account_id} has no such group in {self.resource.region}"
            raise ResourceGone("ecs", operation, "InvalidSecurityGroupId.NotFound", what)
        if len(found) != 1 or text(found[0], "SecurityGroupId") != group_id:
            raise DamagedReply("ecs", operation, "wrong_group", "the answer is about another group")
        return found[0]

    def _call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._ecs.call(self, operation, {"SecurityGroupId": self.resource.resource_id, **parameters})

    def _write(self, operation: str, parameters: Mapping[str, Any]) -> None:
        self._ecs.call(self, operation, {"SecurityGroupId": self.resource.resource_id, **parameters}, writes=True)

"""The live states that each repair has to tell apart: which are compliant, which are changed, which a person gets.

The rows stand in docs/remediations.md word for word. What a managed rule wants is from its page under "List of managed
rules" of Cloud Config; a state of which nobody says what it is never counts as compliant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

import pytest

from consumer.core.errors import Refused
from consumer.core.outcome import Outcome
from consumer.remediations.base import Change, Compliant, Pending, ReportOnly
from consumer.remediations.catalogue import catalogue
from consumer.remediations.ecs.public_ingress import Ingress
from consumer.remediations.oss._policy import PolicyState
from consumer.remediations.oss.access_logging import LoggingState
from consumer.remediations.oss.zone_redundancy import Redundancy
from consumer.resources.ecs.security_group import IngressRule
from consumer.resources.oss.settings import Encryption, HttpsConfig, Logging, Referer, Transition
from tests.unit.remediations.findings import remediation

_PAGE = (Path(__file__).parents[3] / "docs" / "remediations.md").read_text(encoding="utf-8")


class End(StrEnum):
    """How the documentation's tables call what a plan comes to."""

    COMPLIANT = "compliant"
    CHANGED = "changed"
    REJECTED = "rejected"
    WAITS = "held"
    REPORTED = "as configured"
    KEPT = "kept for a person"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: states that a repair has to tell apart from the others, and what becomes of them."""

    text: str
    """The live states in the documentation's words."""
    end: End
    states: Sequence[Any]
    options: Mapping[str, Any] = field(default_factory=dict)


C, X, R, K = End.COMPLIANT, End.CHANGED, End.REJECTED, End.KEPT


def ingress(**fields: Any) -> Ingress:
    """A group with one rule: TCP 22 from everyone, unless another is described."""
    described = {"ports": "22/22", **({} if fields.keys() & SOURCES else {"source": "0.0.0.0/0"}), **fields}
    rule = IngressRule(**{"policy": "Accept", "protocol": "TCP", **described})
    lists = {"pl-office": ("203.0.113.0/24",), "pl-world": ("203.0.113.0/24", "::/0")}
    return Ingress((rule,), prefix_lists=lists)


SOURCES = {"source", "ipv6_source", "source_group", "source_prefix_list"}
PING = {"protocol": "ICMP", "ports": "-1/-1"}
PORTS = {"whole_range": False}
WIDE = {"keep_sources": ["32.0.0.0/6"]}
WRITE = {"drop": "write"}
KEEP = {"keep_restricted": True}
KMS = {"algorithm": "KMS"}
OWN_KEY = {"algorithm": "KMS", "kms_master_key_id": "key-1"}
TARGET = {"target_bucket": "logs"}
PREFIX = {"target_bucket": "logs", "replace_prefix": True}
OURS = "https://a.example"
LINKS = {"referers": [OURS]}
ONLY = {"referers": [OURS], "exclusive": True}
NO_EMPTY = {"referers": [OURS], "forbid_empty_referer": True}
ENV = {"tags": {"env": "prod"}}
MOVE = {"acknowledge_one_way_and_cost": True}

_ALLOW = {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:photos/*"]}
_NAMED = {**_ALLOW, "Principal": ["1111111111111111"]}
_OPEN = {**_ALLOW, "Principal": ["*"]}
_NETWORK = {**_OPEN, "Condition": {"StringEquals": {"acs:SourceVpc": ["vpc-1"]}}}
_WIDE = {**_OPEN, "Condition": {"IpAddress": {"acs:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}}
_DENY = {
    "Effect": "Deny",
    "Action": ["oss:*"],
    "Principal": ["*"],
    "Resource": ["acs:oss:*:1234567890123456:photos", "acs:oss:*:1234567890123456:photos/*"],
    "Condition": {"Bool": {"acs:SecureTransport": ["false"]}},
}


def policy(*statements: object, **document: object) -> PolicyState:
    text = json.dumps({"Version": "1", "Statement": list(statements), **document})
    return PolicyState("photos", "1234567890123456", text)


def logs(target: str | None, prefix: str = "oss-accesslog/", bucket: str = "photos") -> LoggingState:
    return LoggingState(bucket, "cn-hangzhou", None if target is None else Logging(target, prefix))


def links(*allowed: str, empty: bool = True, denied: tuple[str, ...] = ()) -> Referer:
    return Referer(empty, allowed, denied)


def tls(*versions: str, on: bool = True) -> HttpsConfig:
    return HttpsConfig(on, versions)


def denial(*paths: str, owner: str = "*") -> dict[str, Any]:
    return {**_DENY, "Resource": [f"acs:oss:*:{owner}:{path}" for path in paths]}


def moving(status: str) -> Redundancy:
    return Redundancy("LRS", (Transition("1", status),))


NO_POLICY = PolicyState("photos", "1234567890123456", None)

TABLES: dict[str, list[Row]] = {
    "oss.bucket-acl": [
        Row("`private`", C, ["private"]),
        Row("`public-read`, `public-read-write`", X, ["public-read", "public-read-write"]),
        Row("any other text: made private", X, ["Private", "default", ""]),
        Row('`drop = "write"`: `private`, `public-read`', C, ["private", "public-read"], WRITE),
        Row('`drop = "write"`: `public-read-write`', X, ["public-read-write"], WRITE),
        Row('`drop = "write"`: any other text', R, ["Public-Read-Write", "default", ""], WRITE),
    ],
    "oss.block-public-access": [
        Row("on for the bucket", C, [True]),
        Row("off or never set for the bucket, whatever the account's own switch", X, [False]),
    ],
    "oss.bucket-policy-public": [
        Row("no policy", C, [NO_POLICY]),
        Row("only Deny statements, and Allow statements for fixed principals", C, [policy(_NAMED, _DENY)]),
        Row(
            "an Allow statement for everyone in any form",
            X,
            [policy(_NAMED, _OPEN), policy({**_ALLOW, "Principal": []}), policy(_ALLOW)],
        ),
        Row("an Allow statement for everyone that a condition restricts", X, [policy(_NETWORK)]),
        Row("`keep_restricted`: one that a condition restricts", C, [policy(_NETWORK)], KEEP),
        Row("`keep_restricted`: one whose condition does not restrict", X, [policy(_WIDE)], KEEP),
        Row("a form that is not understood, beside something that is public", X, [policy("odd", _OPEN)]),
        Row(
            "a form that is not understood, and nothing that is public",
            R,
            [policy("odd"), policy({**_NAMED, "Effect": "allow"}), policy(_NAMED, Version="2")],
        ),
    ],
    "oss.https-only": [
        Row("no policy", X, [NO_POLICY]),
        Row("Denies that provably cover the bucket and every object", C, [policy(_DENY)]),
        Row(
            "Denies that leave an object, an action, a caller or a request out",
            X,
            [policy({**_DENY, "Action": ["oss:GetObject"]}), policy(denial("photos", "photos/*/*"))],
        ),
        Row("Denies on the bucket of another account", X, [policy(denial("photos*", owner="9999888877776666"))]),
        Row("a policy that cannot be added to", R, [policy(_DENY, Version="2"), policy(_NAMED, statement=[])]),
    ],
    "oss.tls-version": [
        Row("on, with wanted versions only", C, [tls("TLSv1.2", "TLSv1.3"), tls("TLSv1.3")]),
        Row(
            "on, with another version too, whatever its spelling",
            X,
            [tls("TLSv1.1", "TLSv1.2"), tls("TLSv1.2", "tlsv1.2"), tls("SSLv3")],
        ),
        Row("on, without a version", X, [tls()]),
        Row("off or never set, whatever versions stand there", X, [tls("TLSv1.2", on=False), tls(on=False)]),
    ],
    "oss.encryption": [
        Row("none, or `None`", X, [None, Encryption("None"), Encryption("")]),
        Row("`AES256`, `SM4`, `KMS`", C, [Encryption("AES256"), Encryption("SM4"), Encryption("KMS")]),
        Row(
            "an unknown algorithm, also one in other case",
            R,
            [Encryption("aes256"), Encryption("ROT13"), Encryption("KMS", "", "DES")],
        ),
        Row(
            '`algorithm = "KMS"`: `AES256` or `SM4`, also with a key\'s id',
            X,
            [Encryption("AES256", "key-2"), Encryption("SM4")],
            KMS,
        ),
        Row(
            '`algorithm = "KMS"`: `KMS` with any key or none',
            C,
            [Encryption("KMS"), Encryption("KMS", "key-2", "SM4")],
            KMS,
        ),
        Row("own key: `KMS` with an own key, ours or another", C, [Encryption("KMS", "key-2")], OWN_KEY),
        Row(
            "own key: `KMS` without a key, with a blank one, with `alias/acs/oss`",
            X,
            [Encryption("KMS"), Encryption("KMS", " "), Encryption("KMS", "alias/acs/oss")],
            OWN_KEY,
        ),
    ],
    "oss.versioning": [
        Row("`Enabled`", C, ["Enabled"]),
        Row("`Suspended`, never set, any other text", X, ["Suspended", "", "enabled"]),
    ],
    "oss.logging": [
        Row("no target, or a blank one", X, [logs(None), logs(" ")], TARGET),
        Row("no target, and the bucket is the configured target", R, [logs(None, bucket="logs")], TARGET),
        Row("any target, itself included, under any prefix", C, [logs("elsewhere", "other/"), logs("photos")], TARGET),
        Row("`replace_prefix`: the wanted prefix", C, [logs("elsewhere")], PREFIX),
        Row(
            "`replace_prefix`: another prefix, an empty one, part of the wanted one",
            X,
            [logs("elsewhere", "other/"), logs("elsewhere", ""), logs("elsewhere", "oss-accesslog")],
            PREFIX,
        ),
    ],
    "oss.referer": [
        Row(
            "an empty list of allowed referers, whatever is denied",
            X,
            [links(), links(empty=False, denied=("http://b.example",))],
            LINKS,
        ),
        Row(
            "all configured referers, also beside others",
            C,
            [links(OURS), links("http://theirs.example", OURS)],
            LINKS,
        ),
        Row("not all configured referers, case and all", X, [links("https://A.example")], LINKS),
        Row(
            "a referer that every page fits, beside them",
            X,
            [links(OURS, "*"), links("https://*", OURS), links(OURS, "http")],
            LINKS,
        ),
        Row("`exclusive`: exactly them", C, [links(OURS)], ONLY),
        Row("`exclusive`: others beside them", X, [links(OURS, "http://theirs.example")], ONLY),
        Row("`forbid_empty_referer`: an empty Referer is refused", C, [links(OURS, empty=False)], NO_EMPTY),
        Row("`forbid_empty_referer`: an empty Referer is allowed", X, [links(OURS)], NO_EMPTY),
    ],
    "ecs.revoke-public-ingress": [
        Row(
            "no rule that accepts one of the ports from the world",
            C,
            [
                Ingress(()),
                ingress(policy="Drop"),
                ingress(ports="80/443"),
                ingress(source="203.0.113.7"),
                ingress(source="10.0.0.0/8"),
                ingress(ipv6_source="2001:db8::/32"),
                ingress(source_group="sg-other"),
                ingress(protocol="ICMP", ports="8/0"),
            ],
        ),
        Row(
            "a rule that does, by `0.0.0.0/0`, `::/0` or any block wider than /8 (IPv6: /32)",
            X,
            [
                ingress(),
                ingress(policy="accept", protocol="udp"),
                ingress(source="128.0.0.0/1"),
                ingress(ipv6_source="::/0"),
                ingress(ipv6_source="2000::/3"),
                ingress(ipv6_source="::ffff:0.0.0.0/96"),
                ingress(source="10.0.0.0/8", ipv6_source="::/0"),
                ingress(destination="10.0.0.7", source_ports="1/65535"),
            ],
        ),
        Row(
            "a range that holds one of the ports, or `-1/-1`",
            X,
            [
                ingress(ports="1/1024"),
                ingress(ports="3000/4000"),
                ingress(protocol="ALL", ports="-1/-1"),
                ingress(protocol="6", ports="22/22"),
                ingress(**PING),
                ingress(protocol="GRE", ports="-1/-1"),
                ingress(protocol="50", ports="-1/-1"),
            ],
        ),
        Row(
            "`whole_range = false`: `-1/-1` for ICMP, GRE or another protocol without ports",
            C,
            [ingress(**PING)],
            PORTS,
        ),
        Row("`whole_range = false`: `-1/-1` for every protocol", X, [ingress(protocol="ALL", ports="-1/-1")], PORTS),
        Row(
            "a rule that does, behind one that drops the same traffic first",
            X,
            [Ingress((*ingress().rules, *ingress(policy="Drop", priority="1").rules))],
        ),
        Row(
            "`keep_sources`: a wide source within one of its blocks",
            C,
            [ingress(source="32.0.0.0/6"), ingress(source="32.0.0.0/7")],
            WIDE,
        ),
        Row("`keep_sources`: a wide source that is in none of them", X, [ingress(source="32.0.0.0/5")], WIDE),
        Row("a prefix list of narrow blocks as the source", C, [ingress(source_prefix_list="pl-office")]),
        Row("a prefix list with a wide block as the source", X, [ingress(source_prefix_list="pl-world")]),
        Row(
            "a prefix list that cannot be read, a list of ports, no source, or a form that is not known",
            K,
            [
                ingress(source_prefix_list="pl-unread"),
                ingress(ports="", port_list="prl-web"),
                ingress(source=""),
                ingress(protocol="SCTP"),
                ingress(protocol="SCTP", ports="80/443"),
                ingress(protocol="ALL", ports="80/443"),
                ingress(protocol="ICMP", ports="22/22"),
                ingress(ports="22"),
                ingress(ports="0x16/22"),
                ingress(policy="Reject"),
            ],
        ),
        Row(
            "such a rule beside one that is open: only the open one is revoked",
            X,
            [Ingress((*ingress().rules, *ingress(protocol="SCTP").rules))],
        ),
        Row(
            "any of these in a group that a cloud service manages",
            K,
            [replace(ingress(), managed=True), replace(ingress(protocol="SCTP"), managed=True)],
        ),
    ],
    "oss.tags": [
        Row("every tag with its configured value", C, [{"env": "prod", "owner": "me"}], ENV),
        Row("a tag that is missing, also one in other case", X, [{}, {"Env": "prod"}], ENV),
        Row(
            "a tag with another value, also one in other case",
            R,
            [{"env": "test"}, {"env": "Prod"}, {"env": ""}],
            ENV,
        ),
        Row("`replace_values`: a tag with another value", X, [{"env": "test"}], {**ENV, "replace_values": True}),
        Row("`any_value`: a tag with another value", C, [{"env": "test"}], {**ENV, "any_value": True}),
    ],
    "oss.zrs": [
        Row("`ZRS`", C, [Redundancy("ZRS", ())], MOVE),
        Row("`LRS`, no task", X, [Redundancy("LRS", ())], MOVE),
        Row("`LRS`, a task in any status", End.WAITS, [moving("Processing"), moving("Finished"), moving("Odd")], MOVE),
        Row("any other redundancy", R, [Redundancy("zrs", ()), Redundancy("XRS", ())], MOVE),
    ],
    "oss.report": [Row("any", End.REPORTED, [""])],
}
_CASES = [
    pytest.param(name, row.options, state, row.end, id=f"{name}: {row.text}: {number}")
    for name, rows in TABLES.items()
    for row in rows
    for number, state in enumerate(row.states)
]


@pytest.mark.parametrize(("name", "options", "state", "end"), _CASES)
def test_each_state_ends_as_its_row_says(name: str, options: Mapping[str, Any], state: Any, end: End) -> None:
    """In both directions: what is compliant is not changed, and what is not is never called so."""
    assert _end(remediation(name, **options), state) is end


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_the_page_has_the_same_rows(name: str) -> None:
    """Each repair's section has exactly these states with these endings."""
    section = _PAGE.split(f"\n## `{name}`\n", 1)[1].split("\n## ", 1)[0]
    table = section.split("| live state | ending |\n|---|---|\n", 1)[1].split("\n\n", 1)[0]

    assert table.splitlines() == [f"| {row.text} | {row.end} |" for row in TABLES[name]]


def _end(repair: Any, state: Any) -> End:
    try:
        finding = repair.plan(state)
    except Refused:
        return End.REJECTED
    match finding:
        case Compliant():
            return End.COMPLIANT
        case Change():
            return End.CHANGED
        case Pending():
            return End.WAITS
        case ReportOnly(reason="report_only"):
            return End.REPORTED
        case ReportOnly(outcome=outcome):
            return End.REJECTED if outcome is Outcome.REJECTED else End.KEPT
        case _:
            assert_never(finding)

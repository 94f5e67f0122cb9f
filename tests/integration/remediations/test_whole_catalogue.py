"""A whole worker with a rule for every repair: Cloud Config reports one bucket that breaks them all."""

from __future__ import annotations

import base64

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.conftest import Run
from tests.integration.queues import messages
from tests.integration.remediations.cases import PUBLIC_STATEMENT, policy

_PARAMETERS = {"required-tags": {"tag1Key": "cost-center"}}
_RULES = {
    "oss-bucket-public-read-prohibited": ("oss.bucket-acl", "{}"),
    "oss-bucket-policy-no-any-anonymous": ("oss.bucket-policy-public", "{}"),
    "oss-bucket-only-https-enabled": ("oss.https-only", "{}"),
    "oss-bucket-tls-version-check": ("oss.tls-version", "{}"),
    "oss-bucket-server-side-encryption-enabled": ("oss.encryption", "{}"),
    "oss-default-encryption-kms": ("oss.encryption", '{ algorithm = "KMS" }'),
    "oss-encryption-byok-check": ("oss.encryption", '{ algorithm = "KMS", kms_master_key_id = "key-1" }'),
    "oss-bucket-versioning-enabled": ("oss.versioning", "{}"),
    "oss-bucket-logging-enabled": ("oss.logging", '{ target_bucket = "access-logs-{region}" }'),
    "oss-bucket-referer-limit": ("oss.referer", '{ referers = ["https://*.example.com"] }'),
    "required-tags": ("oss.tags", '{ tags = { "cost-center" = "unknown" } }'),
    "oss-zrs-enabled": ("oss.zrs", "{ acknowledge_one_way_and_cost = true }"),
}
_RULE = """
[[rules]]
name = "{identifier}"
remediation = "{remediation}"
mode = "enforce"
config_rule_ids = ["cr-{identifier}"]
options = {options}
"""


def _rules() -> str:
    """A rule for every repair, in TOML."""
    return "".join(
        _RULE.format(identifier=identifier, remediation=remediation, options=options)
        for identifier, (remediation, options) in _RULES.items()
    )


def test_one_bucket_that_breaks_every_rule_ends_compliant(channel: Emulator, run: Run) -> None:
    """Every repair finds its own setting however the others change the bucket; only the move to zones is waited for."""
    for identifier in ("oss-bucket-public-read-prohibited", "oss-bucket-public-write-prohibited"):
        channel.config.remove_rule(identifier)
    channel.create_buckets([f"access-logs-{channel.endpoints.region}"])
    for identifier in _RULES:
        channel.config.add_rule(identifier, rule_id=f"cr-{identifier}", parameters=_PARAMETERS.get(identifier, {}))
    broken = {"acl": "public-read", "policy": policy(PUBLIC_STATEMENT), "tagging": {"owner": "web"}}
    channel.create_buckets(["photos"], **broken)

    def left() -> set[str]:
        judged = channel.compliance(compliance="NON_COMPLIANT")
        return {each.identifier for each in judged if each.resource_id == "photos"}

    assert len(left()) == len(_RULES)
    evaluator = f'\n[reevaluate]\nenabled = true\nendpoint = "{channel.control.url}"\n'  # confirms what goes one way
    with run(evaluator + _rules()):
        eventually(lambda: left() == {"oss-zrs-enabled"})
        eventually(lambda: all("cr-oss-zrs-enabled" in body for body in _bodies(channel)))
    assert _bodies(channel), "the move is still waited for"
    assert messages(channel, "config-events-dead") == []


def _bodies(emulator: Emulator) -> list[str]:
    """What is left in the queue, in the clear."""
    return [base64.b64decode(message["body"]).decode() for message in messages(emulator, "config-events")]

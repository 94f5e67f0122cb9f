"""The managed rules for OSS buckets, one pure function each: bucket and parameters in, verdict out.

What each rule wants follows its page under "List of managed rules" in the Cloud Config documentation. Annotations
are documented for few of them; the others imitate those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.cloudconfig.verdict import NOT_APPLICABLE, Annotation, Verdict

Parameters = Mapping[str, str]

_GRANT = "$.AccessControlList.Grant"
_STATEMENT = "$.BucketPolicy.Statement"
_SSE = "$.ServerSideEncryptionRule.SSEAlgorithm"


def public_read_prohibited(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """The ACL lets nobody read anonymously."""
    return Verdict.unless("read" in bucket.acl, Annotation(bucket.acl, "read", "NotContains", _GRANT))


def public_write_prohibited(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """The ACL lets nobody write anonymously; public reading is another rule's matter."""
    return Verdict.unless("write" in bucket.acl, Annotation(bucket.acl, "write", "NotContains", _GRANT))


def anonymous_prohibited(bucket: BucketConfiguration, parameters: Parameters) -> Verdict:
    """A bucket with a public ACL has a policy that grants nothing to anonymous users; private ones are not judged.

    https://www.alibabacloud.com/help/en/cloud-config/latest/oss-bucket-anonymous-prohibited
    """
    if bucket.acl == "private":
        return NOT_APPLICABLE
    if bucket.policy is None:
        return Verdict.unless(True, Annotation("", "Policy", "NotEmpty", f"{_STATEMENT}.Principal"))
    return policy_no_any_anonymous(bucket, parameters)


def policy_no_any_anonymous(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """No policy statement allows anything to everybody."""
    granted = any(
        statement.get("Effect") == "Allow" and ("Principal" not in statement or _names_everyone(statement))
        for statement in bucket.statements()
    )
    return Verdict.unless(granted, Annotation(bucket.policy or "", "*", "NotContains", f"{_STATEMENT}.Principal"))


def only_https_enabled(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """Some policy statement denies everybody access without TLS."""
    denied = any(
        statement.get("Effect") == "Deny" and _names_everyone(statement) and "false" in _secure_transport(statement)
        for statement in bucket.statements()
    )
    wanted = Annotation(bucket.policy or "", "acs:SecureTransport", "Contains", f"{_STATEMENT}.Condition")
    return Verdict.unless(not denied, wanted)


def server_side_encryption_enabled(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """New objects are encrypted by default, with whatever key."""
    return Verdict.unless(not bucket.sse_algorithm, Annotation("None", "AES256,KMS,SM4", "StringIn", _SSE))


def default_encryption_kms(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """New objects are encrypted by default with a key from KMS."""
    found = bucket.sse_algorithm or "None"
    return Verdict.unless(found != "KMS", Annotation(found, "KMS", "StringEquals", _SSE))


def encryption_byok(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """New objects are encrypted by default with the user's own key from KMS."""
    own_key = bucket.kms_key_id if bucket.sse_algorithm == "KMS" else None
    key_path = "$.ServerSideEncryptionRule.KMSMasterKeyID"
    return Verdict.unless(not own_key, Annotation("", "KMSMasterKeyID", "NotEmpty", key_path))


def versioning_enabled(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """Versioning is on; suspended is not on."""
    found = bucket.versioning or ""
    return Verdict.unless(found != "Enabled", Annotation(found, "Enabled", "StringEquals", "$.Versioning"))


def logging_enabled(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """Access logs are written to some bucket."""
    missing = Annotation("", "LogBucket", "NotEmpty", "$.BucketPolicy.LogBucket")
    return Verdict.unless(not bucket.log_bucket, missing)


def logging_prefix_match(bucket: BucketConfiguration, parameters: Parameters) -> Verdict:
    """Access logs are written under the wanted prefix; without logging there is no such prefix."""
    wanted = parameters.get("LogPrefix", "")
    matches = bucket.log_bucket is not None and bucket.log_prefix == wanted
    found = Annotation(bucket.log_prefix, wanted, "StringEquals", "$.BucketPolicy.LogPrefix")
    return Verdict.unless(not matches, found)


def referer_limit(bucket: BucketConfiguration, parameters: Parameters) -> Verdict:
    """Hotlink protection is on: listed referers only, and an empty one only if the parameters allow it."""
    allowed = _split(parameters.get("allowReferers", ""))
    empty_forbidden = parameters.get("allowEmptyReferer", "true") == "false"
    violated = (
        not bucket.referers
        or (empty_forbidden and bucket.allow_empty_referer)
        or bool(allowed and not set(bucket.referers) <= set(allowed))
    )
    found = Annotation(",".join(bucket.referers), ",".join(allowed), "StringIn", "$.RefererList.Referer")
    return Verdict.unless(violated, found)


def tls_version_check(bucket: BucketConfiguration, parameters: Parameters) -> Verdict:
    """TLS versions are limited, and to wanted ones."""
    allowed = parameters.get("tlsVersion", "")
    limited = bucket.tls_enabled and bool(bucket.tls_versions)
    violated = not limited or not set(bucket.tls_versions) <= set(_split(allowed))
    found = Annotation(",".join(bucket.tls_versions), allowed, "StringIn", "$.HttpsConfiguration.TLS.TLSVersion")
    return Verdict.unless(violated, found)


def zrs_enabled(bucket: BucketConfiguration, _: Parameters) -> Verdict:
    """Objects are stored in several zones."""
    found = Annotation(bucket.redundancy, "ZRS", "StringEquals", "$.DataRedundancyType")
    return Verdict.unless(bucket.redundancy != "ZRS", found)


def required_tags(bucket: BucketConfiguration, parameters: Parameters) -> Verdict:
    """The bucket carries each wanted tag (`tag1Key`, `tag1Value` to `tag6…`); without a value any value will do."""
    tags = dict(bucket.tags)
    for number in range(1, 7):
        key, value = parameters.get(f"tag{number}Key"), parameters.get(f"tag{number}Value", "")
        if key and (key not in tags or (value and tags[key] not in _split(value))):
            found = Annotation(tags.get(key, ""), f"{key}={value}", "Contains", "$.Tags")
            return Verdict.unless(True, found)
    return Verdict.unless(False, Annotation("", "", "Contains", "$.Tags"))


def _names_everyone(statement: Mapping[str, Any]) -> bool:
    """Whether the principal is `*` or, which means the same, an empty list.

    "Policy syntax and elements" of OSS says so of the empty list; the rules look at nothing but the principal.
    """
    principal = _listed(statement.get("Principal"))
    return not principal or "*" in principal


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _secure_transport(statement: Mapping[str, Any]) -> list[str]:
    condition = statement.get("Condition")
    test = condition.get("Bool", {}) if isinstance(condition, dict) else {}
    wanted = test.get("acs:SecureTransport") if isinstance(test, dict) else None
    return [str(value).lower() for value in _listed(wanted)]

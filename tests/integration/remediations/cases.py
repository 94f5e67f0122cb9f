"""A broken bucket for every repair that can be undone in full."""

from __future__ import annotations

import json

from tests.integration.remediations.workbench import Case

PUBLIC_STATEMENT = {
    "Effect": "Allow",
    "Action": ["oss:GetObject"],
    "Principal": ["*"],
    "Resource": ["acs:oss:*:*:photos/*"],
}
PARTNER_STATEMENT = {**PUBLIC_STATEMENT, "Principal": ["2222222222222222"]}
DENY_STATEMENT = {**PUBLIC_STATEMENT, "Effect": "Deny", "Action": ["oss:DeleteBucket"]}


def policy(*statements: object) -> str:
    """A policy of these statements, in the form that repairs write too."""
    document = {"Version": "1", "Statement": list(statements)}
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


ACL = Case("oss.bucket-acl", {"acl": "public-read"}, "oss-bucket-public-read-prohibited")
BLOCK = Case("oss.block-public-access", {"acl": "public-read"})
POLICY = Case(
    "oss.bucket-policy-public",
    {"policy": policy(PUBLIC_STATEMENT, PARTNER_STATEMENT, DENY_STATEMENT)},
    "oss-bucket-policy-no-any-anonymous",
)
HTTPS = Case("oss.https-only", {"policy": policy(PARTNER_STATEMENT)}, "oss-bucket-only-https-enabled")
TLS = Case(
    "oss.tls-version",
    {
        "https_config": {
            "tls_enabled": True,
            "tls_versions": ["TLSv1.0", "TLSv1.2"],
            "cipher_suite": [["Enable", "true"], ["StrongCipherSuite", "false"], ["CustomCipherSuite", "AES128-SHA"]],
        }
    },
    "oss-bucket-tls-version-check",
)
ENCRYPTION = Case("oss.encryption", {}, "oss-bucket-server-side-encryption-enabled")
VERSIONING = Case("oss.versioning", {"versioning": "Suspended"}, "oss-bucket-versioning-enabled")
LOGGING = Case("oss.logging", {}, "oss-bucket-logging-enabled", options={"target_bucket": "access-logs-{region}"})
REFERER = Case(
    "oss.referer",
    {"referer": {"allow_truncate_query_string": False, "truncate_path": True, "denied": ["http://bad.example"]}},
    "oss-bucket-referer-limit",
    options={"referers": ["https://*.example.com"]},
)
TAGS = Case(
    "oss.tags",
    {"tagging": {"owner": "web"}},
    "required-tags",
    options={"tags": {"cost-center": "unknown"}},
    parameters={"tag1Key": "cost-center"},
)
ALL = (ACL, BLOCK, POLICY, HTTPS, TLS, ENCRYPTION, VERSIONING, LOGGING, REFERER, TAGS)

"""What configurations of workers on the emulator have in common; filled by `format` with the emulator's addresses."""

from __future__ import annotations

QUEUE = """\
account_id = "{account}"

[queue]
region = "{region}"
name = "config-events"
dead_letter_queue = "config-events-dead"
endpoint = "{mns}"
"""
"""The beginning; keys of `[queue]` may follow."""

STATIC_SITE = """
[[exemptions]]
name = "static-site"
owner = "web"
reason = "Public pages"
resources = ["static-*"]
"""
"""An exemption; when it expires follows."""

PUBLIC_READ = """
[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-read"]
"""
"""The beginning of a rule; its limits may follow."""

OTHER_RULES = """
[[rules]]
name = "encryption"
remediation = "oss.encryption"
mode = "enforce"
config_rule_ids = ["cr-encryption"]

[[rules]]
name = "versioning"
remediation = "oss.versioning"
mode = "observe"
config_rule_ids = ["cr-versioning"]
"""

RULE_IDS = {
    "oss-bucket-public-read-prohibited": "cr-read",
    "oss-bucket-server-side-encryption-enabled": "cr-encryption",
    "oss-bucket-versioning-enabled": "cr-versioning",
}
"""The evaluator's ids of the rules above, by managed rule."""

"""Options that are weaker than the managed rule which a configuration selects: refused before a bucket is misjudged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config_files import QUEUE, loaded, problems


def rule(remediation: str, identifier: str, options: str) -> str:
    return f"""{QUEUE}
[[rules]]
name = "the-rule"
remediation = "{remediation}"
mode = "enforce"
source_identifiers = ["{identifier}"]
options = {{ {options} }}
"""


@pytest.mark.parametrize(
    ("remediation", "identifier", "weak", "missing", "enough"),
    [
        ("oss.bucket-acl", "oss-bucket-public-read-prohibited", 'drop = "write"', 'drop = "all"', ""),
        ("oss.bucket-acl", "oss-bucket-anonymous-prohibited", 'drop = "write"', 'drop = "all"', ""),
        ("oss.encryption", "oss-default-encryption-kms", "", 'algorithm = "KMS"', 'algorithm = "KMS"'),
        (
            "oss.encryption",
            "oss-encryption-byok-check",
            'algorithm = "KMS"',
            'algorithm = "KMS" and kms_master_key_id',
            'algorithm = "KMS", kms_master_key_id = "key-1"',
        ),
        (
            "oss.encryption",
            "oss-encryption-byok-check",
            'algorithm = "KMS", kms_master_key_id = "alias/acs/oss"',
            'algorithm = "KMS" and kms_master_key_id',
            'algorithm = "KMS", kms_master_key_id = "key-1"',
        ),
        (
            "oss.logging",
            "oss-bucket-logging-prefix-match",
            'target_bucket = "logs"',
            "replace_prefix = true",
            'target_bucket = "logs", replace_prefix = true',
        ),
    ],
)
def test_a_rule_that_its_options_cannot_satisfy_is_refused(
    remediation: str, identifier: str, weak: str, missing: str, enough: str, tmp_path: Path
) -> None:
    """The line says which option to set; with it the configuration loads."""
    [problem] = problems(tmp_path, rule(remediation, identifier, weak))

    assert problem.startswith(f"rules[0].options: must satisfy {identifier}, which the rule selects: set {missing}")
    assert loaded(tmp_path, rule(remediation, identifier, enough)).rules


def test_a_rule_that_another_repair_satisfies_is_refused(tmp_path: Path) -> None:
    """A bucket with a public ACL and no policy is compliant with the one, and breaks the other."""
    [problem] = problems(tmp_path, rule("oss.bucket-policy-public", "oss-bucket-anonymous-prohibited", ""))

    assert 'set remediation = "oss.bucket-acl"' in problem


def test_other_rules_of_the_same_repair_take_weaker_options(tmp_path: Path) -> None:
    """Only the identifiers that are selected count."""
    assert loaded(tmp_path, rule("oss.encryption", "oss-bucket-server-side-encryption-enabled", "")).rules
    assert loaded(tmp_path, rule("oss.bucket-acl", "oss-bucket-public-write-prohibited", 'drop = "write"')).rules

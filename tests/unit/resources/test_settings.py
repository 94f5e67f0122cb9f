"""Every setting is written whole and read back the same; strangers' and contradictory documents are not read at all."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from oss2 import models, xml_utils

from consumer.resources.oss.settings.access_logs import LOGGING, Logging
from consumer.resources.oss.settings.base import Setting
from consumer.resources.oss.settings.catalogue import catalogue, named_actions
from consumer.resources.oss.settings.encryption import ENCRYPTION, Encryption
from consumer.resources.oss.settings.https_config import HTTPS_CONFIG, CipherSuite, HttpsConfig
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.public_access_block import PUBLIC_ACCESS_BLOCK
from consumer.resources.oss.settings.redundancy import REDUNDANCY, TRANSITIONS, Transition
from consumer.resources.oss.settings.referer import REFERER, Referer
from consumer.resources.oss.settings.tags import TAGS
from consumer.resources.oss.settings.versioning import VERSIONING

RECORDS: list[tuple[Setting[Any], Any]] = [
    (POLICY, '{"Version":"1","Statement":[]}'),
    (POLICY, '\ufeff{"Version":"1"}'),
    (PUBLIC_ACCESS_BLOCK, True),
    (PUBLIC_ACCESS_BLOCK, False),
    (ENCRYPTION, Encryption("AES256")),
    (ENCRYPTION, Encryption("KMS", "key-1", "SM4")),
    (VERSIONING, "Enabled"),
    (VERSIONING, "Suspended"),
    (LOGGING, Logging("logs")),
    (LOGGING, Logging("logs", "oss-accesslog/", "log-writer")),
    (REFERER, Referer(True)),
    (REFERER, Referer(False, ("a",), ("b",), False, True)),
    (HTTPS_CONFIG, HttpsConfig(False)),
    *(
        (HTTPS_CONFIG, HttpsConfig(True, ("TLSv1.2", "TLSv1.3"), suite))
        for suite in (None, CipherSuite(False), CipherSuite(True, True), CipherSuite(True, False, ("A", "B"), ("C",)))
    ),
    (TAGS, {"cost": "1", "env": "", "<&>": "\N{BIOHAZARD SIGN}"}),
]


def parsed(setting: Setting[Any], body: bytes) -> Any:
    assert setting.parse
    return setting.parse(body)


def rendered(setting: Setting[Any], value: Any) -> bytes:
    assert setting.render
    return setting.render(value)


@pytest.mark.parametrize(("setting", "record"), RECORDS, ids=lambda value: getattr(value, "name", ""))
def test_what_is_written_is_read_back(setting: Setting[Any], record: Any) -> None:
    """Nothing of a record is lost on the wire, also what the vendor's SDK would drop."""
    assert parsed(setting, rendered(setting, record)) == record


def test_every_setting_that_is_written_as_a_document_is_tried() -> None:
    """A new one has to be added above."""
    both = {name for name, setting in catalogue().items() if setting.parse and setting.render}
    assert {setting.name for setting, _ in RECORDS} == both


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (rendered(ENCRYPTION, Encryption("KMS", "key-1", "SM4")),
         xml_utils.to_put_bucket_encryption(models.ServerSideEncryptionRule("KMS", "key-1", "SM4"))),
        (rendered(ENCRYPTION, Encryption("AES256")),
         xml_utils.to_put_bucket_encryption(models.ServerSideEncryptionRule("AES256"))),
        (rendered(VERSIONING, "Enabled"),
         xml_utils.to_put_bucket_versioning(models.BucketVersioningConfig("Enabled"))),
        (rendered(PUBLIC_ACCESS_BLOCK, True), xml_utils.to_put_public_access_block_request("true")),
    ],
)  # fmt: skip
def test_documents_are_those_of_the_vendors_sdk(ours: bytes, theirs: bytes) -> None:
    """As far as it knows the elements."""
    assert ET.canonicalize(ours) == ET.canonicalize(theirs)


def test_tags_are_written_as_the_vendors_sdk_writes_them() -> None:
    """In their order."""
    rule = models.TaggingRule()
    rule.add("a", "1")
    rule.add("b", "")
    theirs = xml_utils.to_put_tagging(models.Tagging(rule))
    assert ET.canonicalize(rendered(TAGS, {"a": "1", "b": ""})) == ET.canonicalize(theirs)


def test_what_was_not_there_is_not_written() -> None:
    """An option that the service did not name is not decided by us."""
    document = ET.fromstring(rendered(REFERER, Referer(True)))  # noqa: S314 - written by us
    assert [child.tag for child in document] == ["AllowEmptyReferer", "RefererList"]


@pytest.mark.parametrize(
    "setting", [setting for setting in catalogue().values() if setting.parse], ids=lambda setting: setting.name
)
@pytest.mark.parametrize("body", [b"<html><body>Welcome</body></html>", b"", b"<Tagging", b"\xff\xfe", b"[1]"])
def test_a_strangers_document_is_not_an_unset_setting(setting: Setting[Any], body: bytes) -> None:
    """Well-formed or not: it is asked for again, never taken for a bucket without the setting."""
    with pytest.raises((ValueError, TypeError, ET.ParseError)):
        parsed(setting, body)


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        (HTTPS_CONFIG, "<HttpsConfiguration><TLS><Enable>true</Enable><Enable/></TLS></HttpsConfiguration>"),
        (HTTPS_CONFIG, "<HttpsConfiguration><TLS><Enable>true</Enable></TLS><TLS/></HttpsConfiguration>"),
        (LOGGING, "<BucketLoggingStatus><LoggingEnabled/><LoggingEnabled/></BucketLoggingStatus>"),
        (REFERER, "<RefererConfiguration><RefererList/><RefererList/></RefererConfiguration>"),
        (VERSIONING, "<VersioningConfiguration><Status>Enabled</Status><Status/></VersioningConfiguration>"),
        (TAGS, "<Tagging><TagSet/><TagSet/></Tagging>"),
    ],
)  # fmt: skip
def test_a_setting_that_is_there_twice_is_not_read(setting: Setting[Any], body: str) -> None:
    """Of two it could not be told which one holds."""
    with pytest.raises(ValueError, match="is there twice"):
        parsed(setting, body.encode())


_BLOCK = "<PublicAccessBlockConfiguration><BlockPublicAccess>{}</BlockPublicAccess></PublicAccessBlockConfiguration>"


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        (ENCRYPTION, "<ServerSideEncryptionRule/>"),
        (ENCRYPTION, "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault/></ServerSideEncryptionRule>"),
        (HTTPS_CONFIG, "<HttpsConfiguration><TLS><Enable>yes</Enable></TLS></HttpsConfiguration>"),
        (REFERER, "<RefererConfiguration/>"),
        (PUBLIC_ACCESS_BLOCK, _BLOCK.format("True")),
        (PUBLIC_ACCESS_BLOCK, _BLOCK.format("")),
        (TAGS, "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"),
    ],
)  # fmt: skip
def test_a_document_that_lacks_what_decides_is_not_read(setting: Setting[Any], body: str) -> None:
    """Missing is not off."""
    with pytest.raises(ValueError):
        parsed(setting, body.encode())


def test_tasks_of_redundancy_are_read_and_a_move_goes_one_way() -> None:
    """Several tasks are no contradiction."""
    task = "<BucketDataRedundancyTransition><TaskId>{}</TaskId><Status>{}</Status></BucketDataRedundancyTransition>"
    tasks = task.format("1", "Finished") + task.format("2", "Queueing")
    body = f"<ListBucketDataRedundancyTransition>{tasks}</ListBucketDataRedundancyTransition>"
    assert parsed(TRANSITIONS, body.encode()) == (Transition("1", "Finished"), Transition("2", "Queueing"))
    assert rendered(REDUNDANCY, "ZRS") == b""
    with pytest.raises(ValueError, match="anything but zone redundancy"):
        rendered(REDUNDANCY, "LRS")


@pytest.mark.parametrize("tags", [{"": "x"}, {"k" * 129: "x"}, {"k": "v" * 257}])
def test_tags_that_the_service_refuses_are_not_sent(tags: dict[str, str]) -> None:
    """https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettags"""
    with pytest.raises(ValueError, match="128 characters"):
        rendered(TAGS, tags)


@pytest.mark.parametrize("code", ["NoSuchBucketPolicy", "NoSuchTagSet", "NoSuchBucket", "AccessDenied", ""])
def test_only_the_code_of_a_setting_says_that_it_is_not_set(code: str) -> None:
    """And a bucket that is gone has no unset settings."""
    assert POLICY.says_unset(code) is (code == "NoSuchBucketPolicy")
    assert TAGS.says_unset(code) is (code in ("NoSuchBucketPolicy", "NoSuchTagSet"))
    assert not VERSIONING.says_unset(code)


def test_every_action_is_named_once() -> None:
    """By the operation, or by what RAM calls it."""
    assert named_actions()["GetBucketTags"] == "oss:GetBucketTagging"
    assert named_actions()["PutBucketEncryption"] == "oss:PutBucketEncryption"
    assert ENCRYPTION.clear_action == "oss:DeleteBucketEncryption"
    with pytest.raises(NotImplementedError, match="versioning has no delete"):
        _ = VERSIONING.clear_action

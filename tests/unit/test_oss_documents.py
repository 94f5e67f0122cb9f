"""Documents that the SDK would cut short are read and written whole; strangers' documents are not read at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import oss2
import pytest
from oss2 import models, xml_utils

from consumer.aliyun.oss.documents import (
    CheckedBucket,
    cipher_suite,
    document_of,
    flag,
    https_document,
    logging_document,
    referer_document,
)
from consumer.resources.oss.settings import CipherSuite, HttpsConfig, Logging, Referer


@dataclass
class Reply:
    """What a session hands to the SDK."""

    body: bytes
    status: int = 200
    request_id: str = "5C1B138A109F4E405B2D"

    def __post_init__(self) -> None:
        self.headers: dict[str, str] = {}

    def read(self) -> bytes:
        return self.body


def parsed(kind: str, body: bytes) -> Any:
    parse, result = {
        "https": (xml_utils.parse_get_bucket_https_config, models.HttpsConfigResult),
        "logging": (xml_utils.parse_get_bucket_logging, models.GetBucketLoggingResult),
        "referer": (xml_utils.parse_get_bucket_referer, models.GetBucketRefererResult),
    }[kind]
    return CheckedBucket._parse_result(Reply(body), parse, result)


@pytest.mark.parametrize(
    "suite",
    [None, CipherSuite(False), CipherSuite(True, True), CipherSuite(True, False, ("A", "B"), ("C",))],
)
def test_cipher_suites_survive_reading_and_writing(suite: CipherSuite | None) -> None:
    """The SDK knows nothing of them."""
    config = HttpsConfig(True, ("TLSv1.2", "TLSv1.3"), suite)

    found = parsed("https", https_document(config))

    assert HttpsConfig(found.tls_enabled, tuple(found.tls_version), cipher_suite(document_of(found))) == config


def test_the_role_that_writes_logs_survives() -> None:
    """The SDK would drop the element."""
    found = parsed("logging", logging_document(Logging("logs", "oss-accesslog/", "log-writer")))

    assert (found.target_bucket, found.target_prefix) == ("logs", "oss-accesslog/")
    assert document_of(found).findtext("LoggingEnabled/LoggingRole") == "log-writer"


def test_path_options_of_hotlink_protection_survive() -> None:
    """Both, and both lists."""
    found = parsed("referer", referer_document(Referer(False, ("a",), ("b",), False, True)))

    assert (found.allow_empty_referer, found.referers, found.black_referers) == (False, ["a"], ["b"])
    assert found.allow_truncate_query_string is False
    assert flag(document_of(found), "TruncatePath") is True


def test_what_was_not_there_is_not_written() -> None:
    """An option that the service did not name is not decided by us."""
    document = ET.fromstring(referer_document(Referer(True)))  # noqa: S314 - written by us

    assert [child.tag for child in document] == ["AllowEmptyReferer", "RefererList"]


def test_a_strangers_document_is_not_an_unset_setting() -> None:
    """Well-formed XML of another kind reads as `no logging` in the SDK; here it is refused."""
    with pytest.raises(ValueError, match="BucketLoggingStatus was asked for, not html"):
        parsed("logging", b"<html><body>Welcome to our network</body></html>")


_INFO = """<BucketInfo><Bucket><Name>photos</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate>
<Owner><ID>1234567890123456</ID></Owner><AccessControlList>{}</AccessControlList></Bucket></BucketInfo>"""


class OneReply:
    """A session that has one answer to everything."""

    def __init__(self, body: str) -> None:
        self._body = body.encode()

    def do_request(self, _request: object, **_bounds: object) -> Reply:
        return Reply(self._body)


def info(grants: str) -> Any:
    session = OneReply(_INFO.format(grants))
    auth = oss2.Auth("key", "secret")
    return CheckedBucket(auth, "https://oss-cn-hangzhou.aliyuncs.com", "photos", session=session).info()


def test_an_acl_is_one_grant() -> None:
    """Of two it could not be told which one holds, so the answer is asked for again rather than believed in part."""
    assert info("<Grant>private</Grant>").about.acl == "private"
    for grants in ("<Grant>private</Grant><Grant>public-read</Grant>", "<Grant/>", ""):
        with pytest.raises(ValueError, match="AccessControlList/Grant"):
            info(grants)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("https", "<HttpsConfiguration><TLS><Enable>true</Enable><Enable>false</Enable></TLS></HttpsConfiguration>"),
        ("https", "<HttpsConfiguration><TLS><Enable>true</Enable></TLS><TLS/></HttpsConfiguration>"),
        ("logging", "<BucketLoggingStatus><LoggingEnabled/><LoggingEnabled/></BucketLoggingStatus>"),
        ("referer", "<RefererConfiguration><RefererList/><RefererList/></RefererConfiguration>"),
    ],
)
def test_a_setting_that_is_there_twice_is_not_read(kind: str, body: str) -> None:
    """The SDK would take the first one, and the other one might be what holds."""
    with pytest.raises(ValueError, match="is there twice"):
        parsed(kind, body.encode())


def test_lists_are_read_whole() -> None:
    """Several versions and referers are no contradiction."""
    versions = "<TLSVersion>TLSv1.2</TLSVersion><TLSVersion>TLSv1.3</TLSVersion>"
    body = f"<HttpsConfiguration><TLS><Enable>true</Enable>{versions}</TLS></HttpsConfiguration>"

    assert parsed("https", body.encode()).tls_version == ["TLSv1.2", "TLSv1.3"]

"""The SDK's bucket, with the XML documents it reads checked and two documents it cannot write whole.

oss2 takes any well-formed XML for an answer and reads what is missing as unset, so a stranger's page could pass for a
bucket without logging; and it does not know some elements that the service keeps, which a PUT of its own would drop.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import oss2
from oss2 import models

from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.settings import CipherSuite, HttpsConfig, Logging, Referer

_ROOTS = {
    models.GetServerSideEncryptionResult: "ServerSideEncryptionRule",
    models.GetBucketVersioningResult: "VersioningConfiguration",
    models.GetBucketLoggingResult: "BucketLoggingStatus",
    models.GetBucketRefererResult: "RefererConfiguration",
    models.GetTaggingResult: "Tagging",
    models.HttpsConfigResult: "HttpsConfiguration",
    models.GetBucketPublicAccessBlockResult: "PublicAccessBlockConfiguration",
    models.ListBucketDataRedundancyTransitionResult: "ListBucketDataRedundancyTransition",
}


_LISTED = frozenset(
    {"Referer", "TLSVersion", "CustomCipherSuite", "TLS13CustomCipherSuite", "Tag", "BucketDataRedundancyTransition"}
)
"""The elements of which a document has several; of any other one the SDK reads the first and leaves the rest."""

_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z]+)[\s/>]")
"""The first element of a document as the service writes it: nothing but a declaration before it."""


@dataclass(frozen=True, slots=True)
class FoundBucket:
    """What GetBucketInfo answered."""

    name: str
    about: BucketInfo
    request_id: str


class CheckedBucket(oss2.Bucket):  # type: ignore[misc] # the SDK carries no types
    """`oss2.Bucket` whose results have passed for what was asked and keep their XML in `.body`."""

    @staticmethod
    def _parse_result(resp: Any, parse_func: Callable[[Any, bytes], object], klass: type) -> Any:
        body = resp.read()
        if wanted := _ROOTS.get(klass):
            _check_root(body, wanted)
            _check_once(ET.fromstring(body))  # noqa: S314 - from the service alone, and bounded
        result = klass(resp)
        parse_func(result, body)
        result.body = body
        return result

    def info(self) -> FoundBucket:
        """GetBucketInfo, for what this project asks of it; the SDK's own call looks up three times as much.

        Raises:
            ValueError: something that every bucket has is missing.
        """
        answer = self._do("GET", self.bucket_name, "", params={oss2.Bucket.BUCKET_INFO: ""})
        body = answer.read()
        _check_root(body, "BucketInfo")
        bucket = ET.fromstring(body).find("Bucket")  # noqa: S314 - from the service alone, and bounded
        if bucket is None:
            raise ValueError("the answer is about no bucket")
        about = BucketInfo(
            owner_id=_required(bucket, "Owner/ID"),
            region=(bucket.findtext("Location") or "").removeprefix("oss-"),
            incarnation=_required(bucket, "CreationDate"),
            acl=_required(bucket, "AccessControlList/Grant"),
            redundancy=bucket.findtext("DataRedundancyType") or "",
        )
        return FoundBucket(_required(bucket, "Name"), about, answer.request_id)

    def put_https_document(self, config: HttpsConfig) -> Any:
        """PutBucketHttpsConfig with the cipher suites, which the SDK's own call leaves out."""
        parameters = {oss2.Bucket.HTTPS_CONFIG: ""}
        return models.RequestResult(
            self._do("PUT", self.bucket_name, "", data=https_document(config), params=parameters)
        )


def _check_root(body: bytes, wanted: str) -> None:
    found = _ROOT.match(body)
    if found is None or found[1].decode() != wanted:
        raise ValueError(f"{wanted} was asked for, not {found[1].decode() if found else 'no document'}")


def _check_once(document: ET.Element) -> None:
    """Raise ValueError if an element is there twice that the SDK would read the first one of."""
    for parent in document.iter():
        tags = [child.tag for child in parent if child.tag not in _LISTED]
        if len(set(tags)) < len(tags):
            raise ValueError(f"an element of {parent.tag} is there twice")


def _required(parent: ET.Element, path: str) -> str:
    """The one text at a path; of two it could not be told which one holds."""
    found = parent.findall(path)
    if len(found) != 1 or not found[0].text:
        raise ValueError(f"the answer has not one {path}")
    return found[0].text


def document_of(result: Any) -> ET.Element:
    """The XML of a result, for what the SDK does not read out of it."""
    return ET.fromstring(result.body)  # noqa: S314 - from the service alone, and oss2 parses it in the same way


def logging_document(logging: Logging) -> bytes:
    """The body of PutBucketLogging; the SDK sends it as it is."""
    root = ET.Element("BucketLoggingStatus")
    enabled = ET.SubElement(root, "LoggingEnabled")
    _add(enabled, "TargetBucket", logging.target_bucket)
    _add(enabled, "TargetPrefix", logging.target_prefix)
    if logging.role:
        _add(enabled, "LoggingRole", logging.role)
    return ET.tostring(root)


def referer_document(referer: Referer) -> bytes:
    """The body of PutBucketReferer; the SDK sends it as it is."""
    root = ET.Element("RefererConfiguration")
    _add(root, "AllowEmptyReferer", referer.allow_empty)
    _add(root, "AllowTruncateQueryString", referer.allow_truncate_query_string)
    _add(root, "TruncatePath", referer.truncate_path)
    _add_all(ET.SubElement(root, "RefererList"), "Referer", referer.allowed)
    if referer.denied:
        _add_all(ET.SubElement(root, "RefererBlacklist"), "Referer", referer.denied)
    return ET.tostring(root)


def https_document(config: HttpsConfig) -> bytes:
    """The body of PutBucketHttpsConfig."""
    root = ET.Element("HttpsConfiguration")
    tls = ET.SubElement(root, "TLS")
    _add(tls, "Enable", config.enabled)
    _add_all(tls, "TLSVersion", config.versions)
    suite = config.cipher_suite
    if suite is not None:
        suites = ET.SubElement(root, "CipherSuite")
        _add(suites, "Enable", suite.enabled)
        _add(suites, "StrongCipherSuite", suite.strong)
        _add_all(suites, "CustomCipherSuite", suite.custom)
        _add_all(suites, "TLS13CustomCipherSuite", suite.tls13_custom)
    return ET.tostring(root)


def cipher_suite(document: ET.Element) -> CipherSuite | None:
    """The cipher suites of an HttpsConfiguration, where it has any."""
    suites = document.find("CipherSuite")
    if suites is None:
        return None
    return CipherSuite(
        bool(flag(suites, "Enable")),
        flag(suites, "StrongCipherSuite"),
        _texts(suites, "CustomCipherSuite"),
        _texts(suites, "TLS13CustomCipherSuite"),
    )


def flag(document: ET.Element, path: str) -> bool | None:
    """An optional `true` or `false`; None when it is not there."""
    value = document.findtext(path)
    return None if value is None else value.strip().lower() == "true"


def _texts(parent: ET.Element, tag: str) -> tuple[str, ...]:
    return tuple(child.text or "" for child in parent.findall(tag))


def _add(parent: ET.Element, tag: str, value: str | bool | None) -> None:
    if value is not None:
        ET.SubElement(parent, tag).text = str(value).lower() if isinstance(value, bool) else value


def _add_all(parent: ET.Element, tag: str, values: tuple[str, ...]) -> None:
    for value in values:
        _add(parent, tag, value)

"""Which TLS versions and cipher suites a bucket accepts.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbuckethttpsconfig
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import ANY_MISSING, Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, add_all, flag, required_flag, texts, unambiguous

_ROOT = "HttpsConfiguration"
_SEVERAL = frozenset({"TLSVersion", "CustomCipherSuite", "TLS13CustomCipherSuite"})


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """Which cipher suites a bucket accepts."""

    enabled: bool
    strong: bool | None = None
    custom: tuple[str, ...] = ()
    tls13_custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpsConfig:
    """Which TLS versions a bucket accepts; while not enabled, whatever the region accepts."""

    enabled: bool
    versions: tuple[str, ...] = ()
    cipher_suite: CipherSuite | None = None


def _parse(body: bytes) -> HttpsConfig:
    document = unambiguous(body, _ROOT, _SEVERAL)
    enabled, versions = required_flag(document, "TLS/Enable"), texts(document, "TLS/TLSVersion")
    return HttpsConfig(enabled, versions, _cipher_suite(document))


def _cipher_suite(document: ET.Element) -> CipherSuite | None:
    suites = document.find("CipherSuite")
    if suites is None:
        return None
    return CipherSuite(
        bool(flag(suites, "Enable")),
        flag(suites, "StrongCipherSuite"),
        texts(suites, "CustomCipherSuite"),
        texts(suites, "TLS13CustomCipherSuite"),
    )


def _render(config: HttpsConfig) -> bytes:
    root = ET.Element(_ROOT)
    tls = ET.SubElement(root, "TLS")
    add(tls, "Enable", config.enabled)
    add_all(tls, "TLSVersion", config.versions)
    suite = config.cipher_suite
    if suite is not None:
        suites = ET.SubElement(root, "CipherSuite")
        add(suites, "Enable", suite.enabled)
        add(suites, "StrongCipherSuite", suite.strong)
        add_all(suites, "CustomCipherSuite", suite.custom)
        add_all(suites, "TLS13CustomCipherSuite", suite.tls13_custom)
    return ET.tostring(root)


HTTPS_CONFIG: Setting[HttpsConfig] = Setting(
    name="https_config",
    record=HttpsConfig,
    unset=HttpsConfig(enabled=False),
    get=SettingRequest.reading("GetBucketHttpsConfig", "httpsConfig"),
    put=SettingRequest.writing("PutBucketHttpsConfig", "httpsConfig"),
    parse=_parse,
    render=_render,
    unset_code=ANY_MISSING,
)

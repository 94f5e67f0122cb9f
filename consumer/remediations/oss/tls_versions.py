"""Repairs a bucket that accepts old versions of TLS."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal, get_args

from pydantic import Field

from consumer.remediations.base import Options
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.https_config import HTTPS_CONFIG, HttpsConfig

TlsVersion = Literal["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]


class TlsVersionOptions(Options):
    """Settings of `oss.tls-version`."""

    versions: tuple[TlsVersion, ...] = Field(
        default=("TLSv1.2", "TLSv1.3"),
        min_length=1,
        description="The versions a bucket may accept; the same as the parameter tlsVersion of the Cloud Config rule.",
    )


class TlsVersions(SettingRepair[HttpsConfig]):
    """PutBucketHttpsConfig: https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckethttpsconfig"""

    name: ClassVar[str] = "oss.tls-version"
    summary: ClassVar[str] = "limits the TLS versions a bucket accepts; cipher suites stay as they are"
    repairs: ClassVar[tuple[str, ...]] = ("oss-bucket-tls-version-check",)
    reversible: ClassVar[str] = "yes: the versions found are put back"
    may_break: ClassVar[str] = "clients that know only older versions of TLS"
    actions: ClassVar[tuple[str, ...]] = (HTTPS_CONFIG.read_action, HTTPS_CONFIG.write_action)

    Options: ClassVar[type[TlsVersionOptions]] = TlsVersionOptions
    notation: ClassVar[Notation[HttpsConfig]] = Notation(HttpsConfig)

    def __init__(self, options: TlsVersionOptions) -> None:
        self._versions = options.versions

    def read(self, bucket: Bucket) -> HttpsConfig:
        """Versions and cipher suites."""
        return bucket.read(HTTPS_CONFIG)

    def wanted(self, state: HttpsConfig) -> HttpsConfig:
        """Only wanted versions: those of them that were accepted before, or all of them where none was."""
        before = state.versions if state.enabled else ()
        kept = tuple(version for version in before if version in self._versions)
        return replace(state, enabled=True, versions=kept or self._versions)

    def harmless_breaks(self, state: HttpsConfig) -> tuple[HttpsConfig, ...]:
        """One version more than may be."""
        more = [version for version in get_args(TlsVersion) if version not in self._versions]
        return tuple(replace(state, versions=(version, *state.versions)) for version in reversed(more))

    def write(self, bucket: Bucket, state: HttpsConfig) -> None:
        """Replace versions and cipher suites."""
        bucket.write(HTTPS_CONFIG, state)

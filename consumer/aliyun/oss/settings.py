"""A bucket's settings through oss2: each read gives a record, each write sends a whole one.

Knows what the SDK and the service make hard: unset settings answered as errors, `True` where only `true` is read back,
documents with elements that the SDK would drop. Decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from oss2 import models

from consumer.aliyun.oss.documents import cipher_suite, document_of, flag, logging_document, referer_document
from consumer.core.errors import PermanentError, ResourceGone
from consumer.resources.oss.settings import Encryption, HttpsConfig, Logging, Referer, Transition

_ALREADY_MOVING = frozenset({"BucketDataRedundancyTransitionTaskAlreadyExist"})

_T = TypeVar("_T")


class SubResources:
    """Implements `consumer.resources.oss.settings.Settings`; a base of `OssBucket`, which sends the requests."""

    _sdk: Any

    def _call(self, operation: str, request: Callable[[], _T]) -> _T:
        raise NotImplementedError

    def policy(self) -> str | None:
        """GetBucketPolicy; an answer that is not a JSON object is taken for damaged."""
        # Only this code: "no policy" is the one unset setting that means that all is well.
        found = self._or_unset(
            "GetBucketPolicy", lambda: _checked_policy(self._sdk.get_bucket_policy()), "NoSuchBucketPolicy"
        )
        return None if found is None else str(found.policy)

    def put_policy(self, policy: str) -> None:
        """PutBucketPolicy."""
        self._call("PutBucketPolicy", lambda: self._sdk.put_bucket_policy(policy))

    def delete_policy(self) -> None:
        """DeleteBucketPolicy."""
        self._call("DeleteBucketPolicy", lambda: self._sdk.delete_bucket_policy())

    def public_access_block(self) -> bool:
        """GetBucketPublicAccessBlock."""
        found = self._or_unset("GetBucketPublicAccessBlock", lambda: self._sdk.get_bucket_public_access_block())
        return found is not None and bool(found.block_public_access)

    def put_public_access_block(self, blocks: bool) -> None:
        """PutBucketPublicAccessBlock."""
        # A bool would be sent as `True`, and read back like that it is no boolean for anybody, oss2 included.
        value = "true" if blocks else "false"
        self._call("PutBucketPublicAccessBlock", lambda: self._sdk.put_bucket_public_access_block(value))

    def encryption(self) -> Encryption | None:
        """GetBucketEncryption."""
        found = self._or_unset(
            "GetBucketEncryption", lambda: self._sdk.get_bucket_encryption(), "NoSuchServerSideEncryptionRule"
        )
        if found is None:
            return None
        return Encryption(str(found.sse_algorithm), found.kms_master_keyid or "", found.kms_data_encryption or "")

    def put_encryption(self, encryption: Encryption) -> None:
        """PutBucketEncryption."""
        rule = models.ServerSideEncryptionRule(
            encryption.algorithm, encryption.kms_key_id or None, encryption.kms_data_encryption or None
        )
        self._call("PutBucketEncryption", lambda: self._sdk.put_bucket_encryption(rule))

    def delete_encryption(self) -> None:
        """DeleteBucketEncryption."""
        self._call("DeleteBucketEncryption", lambda: self._sdk.delete_bucket_encryption())

    def versioning(self) -> str:
        """GetBucketVersioning."""
        return str(self._call("GetBucketVersioning", lambda: self._sdk.get_bucket_versioning()).status or "")

    def put_versioning(self, status: str) -> None:
        """PutBucketVersioning."""
        config = models.BucketVersioningConfig(status)
        self._call("PutBucketVersioning", lambda: self._sdk.put_bucket_versioning(config))

    def logging(self) -> Logging | None:
        """GetBucketLogging."""
        found = self._call("GetBucketLogging", lambda: self._sdk.get_bucket_logging())
        if not found.target_bucket:
            return None
        role = document_of(found).findtext("LoggingEnabled/LoggingRole") or ""
        return Logging(str(found.target_bucket), str(found.target_prefix), role)

    def put_logging(self, logging: Logging) -> None:
        """PutBucketLogging."""
        self._call("PutBucketLogging", lambda: self._sdk.put_bucket_logging(logging_document(logging)))

    def delete_logging(self) -> None:
        """DeleteBucketLogging."""
        self._call("DeleteBucketLogging", lambda: self._sdk.delete_bucket_logging())

    def referer(self) -> Referer:
        """GetBucketReferer."""
        found = self._call("GetBucketReferer", lambda: self._sdk.get_bucket_referer())
        return Referer(
            bool(found.allow_empty_referer),
            tuple(filter(None, found.referers)),
            tuple(filter(None, found.black_referers)),
            found.allow_truncate_query_string,
            flag(document_of(found), "TruncatePath"),
        )

    def put_referer(self, referer: Referer) -> None:
        """PutBucketReferer."""
        self._call("PutBucketReferer", lambda: self._sdk.put_bucket_referer(referer_document(referer)))

    def https_config(self) -> HttpsConfig:
        """GetBucketHttpsConfig."""
        found = self._or_unset("GetBucketHttpsConfig", lambda: self._sdk.get_bucket_https_config())
        if found is None:
            return HttpsConfig(enabled=False)
        return HttpsConfig(bool(found.tls_enabled), tuple(found.tls_version), cipher_suite(document_of(found)))

    def put_https_config(self, config: HttpsConfig) -> None:
        """PutBucketHttpsConfig."""
        self._call("PutBucketHttpsConfig", lambda: self._sdk.put_https_document(config))

    def transitions(self) -> tuple[Transition, ...]:
        """ListBucketDataRedundancyTransition."""
        found = self._or_unset(
            "ListBucketDataRedundancyTransition", lambda: self._sdk.list_bucket_data_redundancy_transition()
        )
        tasks = [] if found is None else found.data_redundancy_transitions
        return tuple(Transition(str(task.task_id), str(task.transition_status)) for task in tasks)

    def start_zone_redundancy(self) -> None:
        """CreateBucketDataRedundancyTransition; after a lost answer the second try finds the task of the first."""
        try:
            self._call(
                "CreateBucketDataRedundancyTransition",
                lambda: self._sdk.create_bucket_data_redundancy_transition("ZRS"),
            )
        except PermanentError as error:
            if error.code not in _ALREADY_MOVING:
                raise

    def tags(self) -> Mapping[str, str]:
        """GetBucketTags."""
        found = self._or_unset("GetBucketTags", lambda: self._sdk.get_bucket_tagging())
        return {} if found is None else dict(found.tag_set.tagging_rule)

    def put_tags(self, tags: Mapping[str, str]) -> None:
        """PutBucketTags."""
        self._call("PutBucketTags", lambda: self._sdk.put_bucket_tagging(_tagging(tags)))

    def delete_tags(self) -> None:
        """DeleteBucketTags."""
        self._call("DeleteBucketTags", lambda: self._sdk.delete_bucket_tagging())

    def _or_unset(self, operation: str, request: Callable[[], _T], code: str = "") -> _T | None:
        """The answer, or None where the service says that there is no such setting, which it calls an error.

        `code` is what it says; where that is not documented, any "NoSuch…" but NoSuchBucket.
        """
        try:
            return self._call(operation, request)
        except ResourceGone:
            raise
        except PermanentError as error:
            if error.code == code or (not code and error.code.startswith("NoSuch")):
                return None
            raise


def _checked_policy(found: Any) -> Any:
    """The result, unless its text is cut or no policy at all; whether it can be understood is not asked here."""
    try:
        document = json.loads(found.policy.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):
        return found  # whole, but with a number or a depth that no policy has
    if not isinstance(document, dict):
        raise TypeError("a policy is a JSON object")
    return found


def _tagging(tags: Mapping[str, str]) -> Any:
    rule = models.TaggingRule()
    for key, value in tags.items():
        rule.add(key, value)  # refuses what is too long, as the service would
    return models.Tagging(rule)

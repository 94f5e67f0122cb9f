"""Repairs a bucket without access logs, or with logs under another prefix than wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import Field, field_validator

from consumer.core.errors import ChangedMeanwhile, Refused
from consumer.remediations.base import Change, Compliant, Finding, Grant, Options
from consumer.remediations.oss._bucket import BucketRemediation
from consumer.remediations.oss._setting import Notation
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.kind import BUCKET_NAME
from consumer.resources.oss.settings.access_logs import LOGGING, Logging

_REGION = "{region}"


class LoggingOptions(Options):
    """Settings of `oss.logging`."""

    target_bucket: str = Field(
        description=(
            "Where access logs go. It has to be in the same region and account as the bucket: {region} stands for the"
            " bucket's region, so that one rule serves them all. Nothing creates it."
        ),
        examples=["access-logs-{region}"],
    )
    target_prefix: str = Field(
        default="oss-accesslog/",
        description="What the logs' names begin with; the same as the parameter LogPrefix of the Cloud Config rule.",
    )
    replace_prefix: bool = Field(
        default=False,
        description=(
            "true also changes the prefix of a bucket that logs already, as oss-bucket-logging-prefix-match wants; its"
            " target stays. false leaves every bucket alone that logs anywhere."
        ),
    )

    @field_validator("target_bucket")
    @classmethod
    def _can_be_a_name(cls, target: str) -> str:
        if not BUCKET_NAME.fits(target.replace(_REGION, "cn-hangzhou")):
            raise ValueError("not a bucket name, with {region} or without")
        return target


@dataclass(frozen=True, slots=True)
class LoggingState:
    """Where a bucket's logs go, and what decides where they may go."""

    bucket: str
    region: str
    logging: Logging | None


class BucketLogging(BucketRemediation[LoggingState]):
    """PutBucketLogging: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlogging"""

    name: ClassVar[str] = "oss.logging"
    summary: ClassVar[str] = "has access logs written to a bucket; a bucket that logs already keeps its target"
    repairs: ClassVar[tuple[str, ...]] = ("oss-bucket-logging-enabled", "oss-bucket-logging-prefix-match")
    reversible: ClassVar[str] = "yes: the setting found is put back; logs written meanwhile stay"
    may_break: ClassVar[str] = "nothing, but logs cost storage and whoever reads them by their old prefix misses them"
    actions: ClassVar[tuple[str, ...]] = (LOGGING.read_action, LOGGING.write_action)
    undo_actions: ClassVar[tuple[str, ...]] = (LOGGING.clear_action,)

    Options: ClassVar[type[LoggingOptions]] = LoggingOptions
    notation: ClassVar[Notation[Logging | None]] = Notation(Logging | None)

    def __init__(self, options: LoggingOptions) -> None:
        self._target_bucket = options.target_bucket
        self._prefix = options.target_prefix
        self._replace_prefix = options.replace_prefix

    def inspect(self, bucket: Bucket, info: BucketInfo) -> LoggingState:
        """The setting."""
        return LoggingState(bucket.name, info.region, bucket.read(LOGGING))

    def plan(self, state: LoggingState) -> Finding:
        """Logs to the configured target, or the configured prefix at the target there is.

        Raises:
            Refused: the bucket is its own target; logs about writing logs would never end.
        """
        now, after = state.logging, self._wanted(state)
        before = self.notation.text(now)
        return Compliant(before) if now == after else Change(before, self.notation.text(after))

    def apply(self, bucket: Bucket, change: Change) -> None:
        """Write what was planned, unless the setting has changed since."""
        now = self.notation.text(bucket.read(LOGGING))
        if now == change.after:
            return
        if now != change.before:
            raise ChangedMeanwhile(self.name, f"planned on {change.before}, but it is {now} now")
        self._write(bucket, change.after)

    def revert(self, bucket: Bucket, change: Change) -> None:
        """Write what was found."""
        self._write(bucket, change.before)

    def harmless_breaks(self, state: LoggingState) -> tuple[LoggingState, ...]:
        """No logs."""
        return (replace(state, logging=None),)

    def falls_short(self) -> Mapping[str, str]:
        """Another prefix stays where it is not replaced."""
        return {} if self._replace_prefix else {"oss-bucket-logging-prefix-match": "replace_prefix = true"}

    def further_grants(self) -> tuple[Grant, ...]:
        """Whoever switches logging on needs to be allowed to write to the target."""
        target = self._target_bucket.replace(_REGION, "*")
        return (Grant("oss:PutObject", f"acs:oss:*:*:{target}/*"),)

    def _wanted(self, state: LoggingState) -> Logging:
        if state.logging is not None and state.logging.target_bucket.strip():
            return replace(state.logging, target_prefix=self._prefix) if self._replace_prefix else state.logging
        target = self._target_bucket.replace(_REGION, state.region)
        if target == state.bucket:
            raise Refused("logs_into_itself", "the bucket is the target of access logs; it needs a target of its own")
        return Logging(target, self._prefix)

    def _write(self, bucket: Bucket, text: str) -> None:
        logging = self.notation.state(text)
        if logging is None:
            bucket.clear(LOGGING)
        else:
            bucket.write(LOGGING, logging)

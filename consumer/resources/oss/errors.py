"""Errors that only OSS gives; the tree they belong to is in `consumer.core.errors`."""

from __future__ import annotations

from consumer.core.errors import PermanentError


class SourceIpNeedsVpc(PermanentError):
    """OSS takes no policy in which a statement has `acs:SourceIp` and no `acs:SourceVpc` (EC 0030-00000008)."""

    resource_alone = True

    def explained(self, reason: str, text: str) -> SourceIpNeedsVpc:
        """The same refusal in words that say what has to be done; `reason` takes the place of the service's code."""
        return SourceIpNeedsVpc(
            self.service, self.operation, reason, text, status=self.status, request_id=self.request_id
        )

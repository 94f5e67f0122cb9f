"""Everything that can go wrong, as a tree: each class says what to do next.

    RemediatorError
    ├── ConfigurationError        stop: names the key, the value and what is allowed
    ├── ThreadNotStarted          stop: the machine gives no more threads
    ├── InvalidMessage            the body can never become an event: outcome `invalid`
    ├── Refused                   this can never succeed: outcome `rejected`
    ├── SharedUnreachable         whether it may be changed is not known: hold it, and look again later
    └── ServiceError              a vendor's service answered badly, or not at all
        ├── Retryable             try again inside the lease, with backoff
        │   ├── Throttled         the service asks for fewer requests
        │   ├── Unavailable       the service's own 5xx
        │   ├── Busy              something else is under way on the resource
        │   ├── Unanswered        timeout or reset: the request may or may not have taken effect
        │   └── DamagedReply      an answer that the service does not give: cut, a web page, a redirect
        ├── ResourceGone          the resource does not exist
        ├── ChangedMeanwhile      somebody changed the resource after our look: look again on a later delivery
        ├── WrongEndpoint         the resource lives in another region: address it there
        ├── MessageGone           the receipt handle is no longer valid: the lease is lost, nothing is proved
        ├── QueueMissing          the queue does not exist
        ├── NotAuthenticated      credentials or clock are wrong: try again on a later delivery, a person has to look
        │   └── CredentialsUnavailable  their source does not answer: that may pass by itself
        ├── AccountSuspended      the account or resource is blocked for now: try again on a later delivery
        ├── UnknownRefusal        a code that we do not know: try again on a later delivery, as often as a failure may
        └── PermanentError        the same request will be refused again: outcome `rejected`
            ├── PermissionMissing     grant the action in RAM: held until somebody has, and not the message's fault
            ├── DeniedByResource      the resource's own policy denies it
            └── PublicAccessBlocked   Block Public Access forbids it

A kind of resource may add its own below these, as `consumer.resources.oss.errors` does. Vendor exceptions are
translated into them in `consumer.aliyun`, once; no other package sees one.
"""

from __future__ import annotations

from typing import ClassVar


class RemediatorError(Exception):
    """Base of every error that this project raises on purpose."""


class ConfigurationError(RemediatorError):
    """The configuration cannot be used as it stands; the text names the key, the value and what is allowed.

    `remedy` says what is to be changed where the text alone does not.
    """

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.remedy = remedy


class ThreadNotStarted(RemediatorError):
    """The machine gives no thread; the text names the thread and the limits that may be too low."""


class InvalidMessage(RemediatorError):
    """The body can never become an event; `reason` is one word for metrics, the text is for people."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Refused(RemediatorError):
    """We refuse to act on this event, now and later; `reason` is one word for metrics, the text is for people."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class SharedUnreachable(RemediatorError):
    """What the replicas share about limits, breakers and contests is out of reach, so nothing may be changed."""


class ServiceError(RemediatorError):
    """A service answered badly or not at all.

    `code` is the service's own error code where it gave one, else one of ours in lower case (`timeout`, `reset`);
    `status` is the HTTP status or 0; `request_id` is what the vendor's support asks for.
    """

    resource_alone: ClassVar[bool] = False
    """Whether the failure is the resource's own and says nothing about any other one."""

    def __init__(
        self, service: str, operation: str, code: str, text: str, *, status: int = 0, request_id: str = ""
    ) -> None:
        super().__init__(text)
        self.service = service
        self.operation = operation
        self.code = code
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        where = f"{self.service} {self.operation}: {self.code}"
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{where}: {self.args[0]}{request}"


class Retryable(ServiceError):
    """Worth asking again while the lease lasts."""


class Throttled(Retryable):
    """The service asks for fewer requests."""


class Unavailable(Retryable):
    """The service failed inside."""


class Busy(Retryable):
    """Something else is under way on the resource, or has just been."""

    resource_alone = True


class Unanswered(Retryable):
    """No answer came, so the request may or may not have taken effect."""


class DamagedReply(Retryable):
    """What came back is not an answer of the service, so nothing is known to have happened."""


class ResourceGone(ServiceError):
    """The resource does not exist."""


BucketGone = ResourceGone
"""An alias from the time when buckets were the only kind of resource."""


class ChangedMeanwhile(ServiceError):
    """The resource is no longer what the change was planned on, so writing it would undo somebody else's work."""

    def __init__(self, repair: str, text: str) -> None:
        """`repair` is the remediation's name, `oss.bucket-acl`, which begins with its service."""
        super().__init__(repair.partition(".")[0], repair, "changed_meanwhile", text)


class WrongEndpoint(ServiceError):
    """The resource has to be addressed at another region's endpoint."""

    resource_alone = True

    def __init__(
        self, service: str, operation: str, text: str, *, endpoint: str, status: int = 403, request_id: str = ""
    ) -> None:
        super().__init__(service, operation, "WrongEndpoint", text, status=status, request_id=request_id)
        self.endpoint = endpoint
        """The host the service names, unverified: it is data from a reply, never a host to connect to."""


class MessageGone(ServiceError):
    """The receipt handle no longer names a message that is ours.

    MNS says the same for a message that was deleted and for one whose lease ended, so this proves neither.
    """


class QueueMissing(ServiceError):
    """The queue does not exist."""


class NotAuthenticated(ServiceError):
    """The service does not accept our credentials or our clock."""


class CredentialsUnavailable(NotAuthenticated):
    """There are no credentials at the moment, because what gives them does not answer: STS, the metadata service."""


class AccountSuspended(ServiceError):
    """The account or the resource is blocked for now, for example for unpaid bills."""


class UnknownRefusal(ServiceError):
    """The service refused with a code that we do not know, so whether it will refuse again is not known."""


class PermanentError(ServiceError):
    """The same request will be refused again."""


class PermissionMissing(PermanentError):
    """RAM does not allow it, as far as the answer says: no other reason is named."""


class DeniedByResource(PermanentError):
    """The resource's own policy denies it, whatever RAM grants."""

    resource_alone = True


class PublicAccessBlocked(PermanentError):
    """Block Public Access is on, and the request would make something public."""

    resource_alone = True

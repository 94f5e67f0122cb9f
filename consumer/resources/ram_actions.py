"""The RAM actions behind the requests that this project makes. Pure.

https://www.alibabacloud.com/help/en/mns/security-and-compliance/permission-policies-and-examples and
https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy
"""

from __future__ import annotations

from consumer.resources.oss.settings.catalogue import named_actions

_BATCHES = {
    # Whether a batch is also checked against the single action is documented nowhere, so both are granted.
    "BatchReceiveMessage": ("mns:BatchReceiveMessage", "mns:ReceiveMessage"),
    "BatchDeleteMessage": ("mns:BatchDeleteMessage", "mns:DeleteMessage"),
    "BatchPeekMessage": ("mns:BatchPeekMessage", "mns:PeekMessage"),
}
_MNS_OPERATIONS = frozenset(
    {
        *_BATCHES,
        "ChangeMessageVisibility",
        "SendMessage",
        "CreateQueue",
        "GetQueueAttributes",
        "SetQueueAttributes",
        "CreateTopic",
        "GetTopicAttributes",
        "SetTopicAttributes",
        "Subscribe",
        "GetSubscriptionAttributes",
        "SetSubscriptionAttributes",
        "PublishMessage",
    }
)


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """The RAM actions behind one request.

    Raises:
        KeyError: the service is MNS, and no policy knows the operation.
    """
    if service != "mns":
        named = named_actions().get(operation) if service == "oss" else None
        return (named or f"{service}:{operation}",)
    if operation not in _MNS_OPERATIONS:
        raise KeyError(operation)
    return _BATCHES.get(operation, (f"mns:{operation}",))

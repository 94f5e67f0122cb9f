"""The visibility state machine of one queue: pure, without I/O and without a clock of its own.

    send ──▶ DELAYED ──▶ ACTIVE ──receive──▶ INACTIVE ──delete──▶ gone
                            ▲                    │
                            └── timeout passed ──┘      …and from every state: retention ends ──▶ gone

Every method takes the time in milliseconds and first lets everything happen that is due by then. The queue never
journals and never knows other queues; what happens by itself it tells its listener.
Source: https://www.alibabacloud.com/help/en/mns/developer-reference/receivemessage and its sister pages.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from emulator.mns.attributes import Counts, QueueAttributes
from emulator.mns.errors import Code, MnsRefusal
from emulator.mns.index import ActiveMessages, Expiries, Moments
from emulator.mns.message import Draft, Message, Receipt, State, body_md5, message_id


class QueueListener(Protocol):
    """Listens to what a queue does by itself, at the moment it takes effect."""

    def expired(self, queue: Queue, message: Message) -> None:
        """Retention ended; the message is gone."""
        ...

    def exhausted(self, queue: Queue, message: Message) -> bool:
        """A message came back after its last allowed receive: true if it was moved elsewhere."""
        ...


class Queue:
    """One queue with its messages, its settings and the handles that are good now."""

    def __init__(self, name: str, attributes: QueueAttributes, listener: QueueListener, now_ms: int) -> None:
        self.name = name
        self.attributes = attributes
        self.created_seconds = self.modified_seconds = now_ms // 1000
        self.deleted = False
        self.max_receive_count: int | None = None
        """Receives after which a message that comes back is offered to `Listener.exhausted`."""
        self._listener = listener
        self._messages: dict[str, Message] = {}
        self._handles: dict[str, Message] = {}
        self._active = ActiveMessages()
        self._hidden = Moments()
        self._expiries = Expiries()
        self._counts = dict.fromkeys(State, 0)
        self._token = 0
        self._salt = secrets.token_bytes(6)

    def override(self, attributes: QueueAttributes, now_ms: int) -> None:
        """Replace the settings; messages that are already here keep the times they have."""
        self.attributes = attributes
        self.modified_seconds = now_ms // 1000

    def send(self, draft: Draft, now_ms: int) -> Message:
        """Store a message, available at once or after its delay."""
        delay = self.attributes.delay_seconds if draft.delay_seconds is None else draft.delay_seconds
        return self.adopt(draft, now_ms, self.expires_ms(now_ms), now_ms + delay * 1000)

    def expires_ms(self, now_ms: int) -> int:
        """When a message that is sent now expires."""
        return now_ms + self.attributes.message_retention_period_seconds * 1000

    def adopt(self, draft: Draft, now_ms: int, expires_ms: int, visible_ms: int) -> Message:
        """Store a message with an end of retention that may have been set elsewhere."""
        message = Message(
            id=message_id(),
            body=draft.body,
            body_md5=body_md5(draft.body),
            priority=draft.priority,
            group_id=draft.group_id,
            properties=draft.properties,
            enqueue_ms=now_ms,
            expires_ms=expires_ms,
            first_dequeue_ms=now_ms,
            next_visible_ms=visible_ms,
        )
        self._counts[State.ACTIVE] += 1
        self._messages[message.id] = message
        self._expiries.add(message)
        if visible_ms > now_ms:
            self._hide(message, State.DELAYED, visible_ms)
        else:
            self._show(message)
        return message

    def receive(self, limit: int, now_ms: int, *, leave_visible: bool = False) -> list[Receipt]:
        """Hand out up to `limit` messages and hide them; with `leave_visible` others can receive them too."""
        self.elapse(now_ms)
        receipts: list[Receipt] = []
        left_visible: list[Message] = []
        while len(receipts) < limit and (message := self._active.pop()):
            receipts.append(self._hand_out(message, now_ms))
            if leave_visible:
                left_visible.append(message)
        for message in left_visible:
            self._move(message, State.ACTIVE)
            self._active.add(message)
            self._hidden.add(message.next_visible_ms, message)
        return receipts

    def _hand_out(self, message: Message, now_ms: int) -> Receipt:
        if message.dequeue_count == 0:
            message.first_dequeue_ms = now_ms
        message.dequeue_count += 1
        visible_ms = now_ms + self.attributes.visibility_timeout_seconds * 1000
        handle = self._hide(message, State.INACTIVE, visible_ms)
        return Receipt(message, handle, visible_ms, message.dequeue_count, message.first_dequeue_ms)

    def peek(self, limit: int, now_ms: int) -> list[Message]:
        """Up to `limit` messages that could be received now; nothing changes."""
        self.elapse(now_ms)
        return list(islice(self._active, limit))

    def delete(self, handle: str, now_ms: int) -> Message:
        """Remove the message of a handle that is good now; raises MessageNotExist otherwise."""
        message = self._held(handle, now_ms)
        self._remove(message)
        return message

    def change_visibility(self, handle: str, seconds: int, now_ms: int) -> Receipt:
        """Hide a message until `seconds` from now under a new handle; raises MessageNotExist."""
        message = self._held(handle, now_ms)
        visible_ms = now_ms + seconds * 1000
        delayed = message.state is State.DELAYED
        new_handle = self._hide(message, State.DELAYED if delayed else State.INACTIVE, visible_ms)
        return Receipt(message, new_handle, visible_ms, message.dequeue_count, message.first_dequeue_ms)

    def _held(self, handle: str, now_ms: int) -> Message:
        self.elapse(now_ms)
        message = self._handles.get(handle)
        if message is None:
            raise MnsRefusal(Code.MESSAGE_NOT_EXIST)
        return message

    def elapse(self, now_ms: int) -> None:
        """Let happen what is due: messages expire, come back, or are offered to the dead-letter queue."""
        for message in self._expiries.due(now_ms):
            self._remove(message)
            self._listener.expired(self, message)
        for message in self._hidden.due(now_ms):
            if message.state is State.ACTIVE:
                self._drop_handle(message)
            elif not self._exhausted(message):
                self._show(message)

    def _exhausted(self, message: Message) -> bool:
        if self.max_receive_count is None or message.dequeue_count < self.max_receive_count:
            return False
        if not self._listener.exhausted(self, message):
            return False
        self._remove(message)
        return True

    def next_change_ms(self) -> int | None:
        """When the next hidden or delayed message becomes visible; None when none is hidden."""
        return self._hidden.next_ms()

    def next_expiry_ms(self) -> int | None:
        """When the next message's retention ends; None when there is none."""
        return self._expiries.next_ms()

    def has_active(self) -> bool:
        """Whether a receive would find something without letting time pass."""
        return self._counts[State.ACTIVE] > 0

    def counts(self, now_ms: int) -> Counts:
        """How many messages there are now, by state."""
        self.elapse(now_ms)
        return Counts(self._counts[State.ACTIVE], self._counts[State.INACTIVE], self._counts[State.DELAYED])

    def messages(self, now_ms: int) -> Iterator[Message]:
        """Every message, in the order of sending."""
        self.elapse(now_ms)
        return iter(self._messages.values())

    def _hide(self, message: Message, state: State, visible_ms: int) -> str:
        self._move(message, state)
        self._drop_handle(message)
        handle = self._mint(message.priority)
        message.receipt_handle = handle
        message.next_visible_ms = visible_ms
        self._handles[handle] = message
        self._hidden.add(visible_ms, message)
        self._hidden.compact(len(self._messages))
        return handle

    def _show(self, message: Message) -> None:
        self._move(message, State.ACTIVE)
        self._drop_handle(message)
        self._active.add(message)

    def _remove(self, message: Message) -> None:
        self._move(message, State.GONE)
        self._drop_handle(message)
        del self._messages[message.id]
        self._expiries.compact(len(self._messages))

    def _move(self, message: Message, state: State) -> None:
        self._counts[message.state] -= 1
        self._counts[state] += 1
        message.state = state
        self._token += 1
        message.token = self._token

    def _drop_handle(self, message: Message) -> None:
        if message.receipt_handle is not None:
            del self._handles[message.receipt_handle]
            message.receipt_handle = None

    def _mint(self, priority: int) -> str:
        # 18 bytes make 24 characters without padding; none of them has a meaning in a query, where clients put
        # handles unencoded. The salt keeps handles of another queue, or of this one before a restart, unknown.
        serial = self._salt + self._token.to_bytes(12, "big")
        return f"{priority}-{urlsafe_b64encode(serial).decode()}"

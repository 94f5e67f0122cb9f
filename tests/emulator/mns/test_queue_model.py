"""The queue against a naive model of it: whatever the order of calls, both tell the same story."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from emulator.mns.attributes import QueueAttributes
from emulator.mns.errors import MnsRefusal
from emulator.mns.message import Draft
from emulator.mns.queue import Queue

VISIBILITY_MS = 5_000
RETENTION_MS = 60_000


@dataclass
class Modelled:
    """What the model knows of one message."""

    visible_ms: int
    expires_ms: int
    priority: int
    handle: str | None = None
    dequeue_count: int = 0
    delayed: bool = False


class Ignoring:
    """A listener that does not care."""

    def expired(self, *_: object) -> None:
        """Nothing."""

    def exhausted(self, *_: object) -> bool:
        return False


class QueueAgainstModel(RuleBasedStateMachine):
    """Sends, receives, deletes and changes visibility at random while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        attributes = QueueAttributes(visibility_timeout_seconds=5, message_retention_period_seconds=60)
        self.queue = Queue("q", attributes, Ignoring(), now_ms=0)
        self.model: dict[str, Modelled] = {}
        self.every_handle: list[str] = []
        self.now_ms = 0

    def alive(self) -> dict[str, Modelled]:
        return {id_: item for id_, item in self.model.items() if item.expires_ms > self.now_ms}

    def visible(self) -> dict[str, Modelled]:
        return {id_: item for id_, item in self.alive().items() if item.visible_ms <= self.now_ms}

    def owner(self, handle: str) -> str | None:
        held = (id_ for id_, item in self.alive().items() if item.handle == handle and item.visible_ms > self.now_ms)
        return next(held, None)

    @rule(milliseconds=st.integers(0, 20_000))
    def time_goes_on(self, milliseconds: int) -> None:
        self.now_ms += milliseconds

    @rule(delay_seconds=st.sampled_from([0, 0, 3]), priority=st.integers(1, 16))
    def send(self, delay_seconds: int, priority: int) -> None:
        message = self.queue.send(Draft("x", delay_seconds, priority), self.now_ms)
        self.model[message.id] = Modelled(
            self.now_ms + delay_seconds * 1000,
            self.now_ms + RETENTION_MS,
            priority,
            message.receipt_handle,
            delayed=delay_seconds > 0,
        )
        if message.receipt_handle:
            self.every_handle.append(message.receipt_handle)

    @rule(limit=st.integers(1, 16))
    def receive(self, limit: int) -> None:
        visible = self.visible()
        receipts = self.queue.receive(limit, self.now_ms)
        assert len(receipts) == min(limit, len(visible))
        priorities = [receipt.message.priority for receipt in receipts]
        assert priorities == sorted(item.priority for item in visible.values())[: len(receipts)]
        for receipt in receipts:
            item = visible.pop(receipt.message.id)
            item.dequeue_count += 1
            item.handle, item.visible_ms, item.delayed = receipt.receipt_handle, self.now_ms + VISIBILITY_MS, False
            assert receipt.dequeue_count == item.dequeue_count
            assert receipt.next_visible_ms == item.visible_ms
            self.every_handle.append(receipt.receipt_handle)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if not self.every_handle:
            return
        handle = data.draw(st.sampled_from(self.every_handle))
        owner = self.owner(handle)
        if owner is None:
            with pytest.raises(MnsRefusal, match="MessageNotExist"):
                self.queue.delete(handle, self.now_ms)
        else:
            assert self.queue.delete(handle, self.now_ms).id == owner
            del self.model[owner]

    @rule(data=st.data(), seconds=st.integers(1, 20))
    def change_visibility(self, data: st.DataObject, seconds: int) -> None:
        if not self.every_handle:
            return
        handle = data.draw(st.sampled_from(self.every_handle))
        owner = self.owner(handle)
        if owner is None:
            with pytest.raises(MnsRefusal, match="MessageNotExist"):
                self.queue.change_visibility(handle, seconds, self.now_ms)
            return
        receipt = self.queue.change_visibility(handle, seconds, self.now_ms)
        item = self.model[owner]
        item.handle, item.visible_ms = receipt.receipt_handle, self.now_ms + seconds * 1000
        self.every_handle.append(receipt.receipt_handle)

    @invariant()
    def counts_agree(self) -> None:
        counts = self.queue.counts(self.now_ms)
        visible = len(self.visible())
        hidden = [item for item in self.alive().values() if item.visible_ms > self.now_ms]
        delayed = sum(item.delayed for item in hidden)
        assert (counts.active, counts.inactive, counts.delayed) == (visible, len(hidden) - delayed, delayed)


TestQueueAgainstModel = QueueAgainstModel.TestCase
TestQueueAgainstModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

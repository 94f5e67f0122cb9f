"""Queues and their attributes through the real SDK."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from mns.account import AccountMeta
from mns.mns_exception import MNSClientNetworkException, MNSServerException
from mns.queue import Message, QueueMeta

from emulator.mns.attributes import Figures
from tests.emulator.mns.running import Running


def refused(error: pytest.ExceptionInfo[MNSServerException]) -> str:
    return str(error.value.type)


def attributes(queue: Any) -> Any:
    """The queue's attributes; the SDK warns about its own use of counters that are going away."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return queue.get_attributes()


def counts(queue: Any) -> tuple[int, int, int]:
    """How many messages it says that it holds: active, inactive, delayed; reading them warns as well."""
    found = attributes(queue)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return found.active_messages, found.inactive_messages, found.delay_messages


def test_creating_the_same_queue_twice_is_fine_and_a_different_one_is_not(account: Any, mns: Running) -> None:
    """201, then 204 with the address again, then QueueAlreadyExist."""
    queue = account.get_queue("q")
    url = queue.create(QueueMeta(vis_timeout=40))
    assert url == f"{mns.endpoints.mns}/queues/q"
    assert queue.create(QueueMeta(vis_timeout=40)) == url
    with pytest.raises(MNSServerException) as error:
        queue.create(QueueMeta(vis_timeout=41))
    assert refused(error) == "QueueAlreadyExist"
    assert len(mns.journal("CreateQueue")) == 1


def test_attributes_have_the_documented_defaults(account: Any) -> None:
    """A queue that is created without attributes gets the service's defaults."""
    queue = account.get_queue("q")
    queue.create(QueueMeta())
    found = attributes(queue)
    assert (found.visibility_timeout, found.maximum_message_size) == (30, 65536)
    assert (found.message_retention_period, found.delay_seconds, found.polling_wait_seconds) == (345600, 0, 0)
    assert (found.queue_name, found.logging_enabled) == ("q", False)
    assert found.create_time == found.last_modify_time


def test_setting_attributes_keeps_those_left_out(account: Any) -> None:
    """SetQueueAttributes changes what it names and nothing else."""
    queue = account.get_queue("q")
    queue.create(QueueMeta(vis_timeout=40, delay_sec=3))
    queue.set_attributes(QueueMeta(vis_timeout=50, logging_enabled=True))
    found = attributes(queue)
    assert (found.visibility_timeout, found.delay_seconds, found.logging_enabled) == (50, 3, True)
    with pytest.raises(MNSServerException) as error:
        account.get_queue("other").set_attributes(QueueMeta(vis_timeout=50))
    assert refused(error) == "QueueNotExist"


@pytest.mark.parametrize(
    "meta",
    [
        QueueMeta(vis_timeout=43201),
        QueueMeta(max_msg_size=1023),
        QueueMeta(max_msg_size=65537),
        QueueMeta(msg_ttl=59),
        QueueMeta(msg_ttl=604801),
        QueueMeta(delay_sec=604801),
        QueueMeta(polling_wait_sec=31),
    ],
)
def test_attributes_outside_their_limits(account: Any, meta: QueueMeta) -> None:
    """Every attribute has its range, and the error names it."""
    with pytest.raises(MNSServerException, match="should between") as error:
        account.get_queue("q").create(meta)
    assert refused(error) == "InvalidArgument"


@pytest.mark.parametrize(
    ("name", "code"),
    [("-q", "InvalidQueueName"), ("a_b", "InvalidQueueName"), ("a" * 121, "QueueNameLengthError")],
)
def test_queue_names(account: Any, name: str, code: str) -> None:
    """Letters, digits and hyphens, beginning with a letter or digit, up to 120 of them."""
    with pytest.raises(MNSServerException) as error:
        account.get_queue(name).create(QueueMeta())
    assert refused(error) == code


def test_the_longest_name_is_good(account: Any) -> None:
    """120 characters are still a name."""
    queue = account.get_queue("a" * 120)
    queue.create(QueueMeta())
    assert "a" * 120 in [entry.rpartition("/")[2] for entry in account.list_queue()[0]]


def test_listing_pages_by_prefix(account: Any, mns: Running) -> None:
    """A page ends with the marker of the next one, and the last page has none."""
    for name in ("a-1", "a-2", "a-3", "b-1"):
        account.get_queue(name).create(QueueMeta())
    urls, marker = account.list_queue("a-", 2)
    rest, end = account.list_queue("a-", 2, marker)
    assert [url.rpartition("/")[2] for url in urls + rest] == ["a-1", "a-2", "a-3"]
    assert (bool(marker), end) == (True, "")
    assert account.list_queue("none") == ([], "")


def test_deleting_a_queue_takes_its_messages_and_is_idempotent(account: Any, queue: Any, mns: Running) -> None:
    """Afterwards the queue is unknown; deleting it again changes nothing and is no error."""
    queue.delete()
    queue.delete()
    with pytest.raises(MNSServerException) as error:
        attributes(queue)
    assert refused(error) == "QueueNotExist"
    assert len(mns.journal("DeleteQueue")) == 1


def test_account_attributes(account: Any) -> None:
    """The logging bucket of the account is kept, and an empty one takes it back."""
    account.set_attributes(AccountMeta("my-bucket"))
    assert account.get_attributes().logging_bucket == "my-bucket"
    account.set_attributes(AccountMeta(""))
    assert account.get_attributes().logging_bucket == ""


def test_open_service(account: Any) -> None:
    """Opening the service, which is always open here, is no error."""
    assert account.open_service().status == 200


def test_the_number_of_messages_can_be_withdrawn(account: Any, mns: Running) -> None:
    """The truth by default; 0 on request, as the service has announced; or no element, which the SDK cannot read."""
    queue = account.get_queue("q")
    queue.create(QueueMeta())
    queue.send_message(Message("x"))
    queue.send_message(Message("y", delay_seconds=60))
    assert counts(queue) == (1, 0, 1)

    mns.inside(lambda: mns.service.set_queue_figures(Figures.ZERO))
    assert counts(queue) == (0, 0, 0)
    assert attributes(queue).visibility_timeout == 30

    mns.inside(lambda: mns.service.set_queue_figures(Figures.ABSENT))
    with pytest.raises(MNSClientNetworkException, match="RespDataDamaged"):
        attributes(queue)

"""The real SDKs understand the canned server, and its ledger tells what they did."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import oss2
import pytest
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Queue

from bench.names import ACCESS_KEY_ID, ACCESS_KEY_SECRET, QUEUE
from bench.server.client import Server
from consumer.core.event import Event, decode


@pytest.fixture
def session() -> Iterator[oss2.Session]:
    """Connections to OSS, closed in the end."""
    made = oss2.Session()
    yield made
    made.session.close()


@pytest.fixture
def queue(server: Server) -> Iterator[Queue]:
    """The queue through the SDK, its connection closed in the end."""
    account = Account(f"http://127.0.0.1:{server.ports.mns}", ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    made = account.get_queue(QUEUE)
    made.set_encoding(False)
    yield made
    account.mns_client.close_connection()


def _bucket(server: Server, session: oss2.Session, name: str) -> oss2.Bucket:
    auth = oss2.AuthV4(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    endpoint = f"http://127.0.0.1:{server.ports.oss}"
    return oss2.Bucket(auth, endpoint, name, region="cn-hangzhou", session=session)


def test_an_acl_that_is_put_is_read_back(server: Server, session: oss2.Session) -> None:
    """By both reads, and the ledger knows when."""
    (name,) = server.load(1)
    bucket = _bucket(server, session, name)
    assert bucket.get_bucket_acl().acl == "public-read"
    bucket.put_bucket_acl("private")
    info = bucket.get_bucket_info()
    assert (info.name, info.acl.grant, info.location) == (name, "private", "oss-cn-hangzhou")
    assert bucket.get_bucket_acl().acl == "private"
    (track,) = server.tracks()
    assert track.puts == 1
    assert track.operations == ["GetBucketAcl", "PutBucketAcl", "GetBucketInfo", "GetBucketAcl"]
    assert track.first_call_at < track.confirmed_at
    assert server.snapshot().confirmed == 1


def test_a_bucket_that_was_not_made_does_not_exist(server: Server, session: oss2.Session) -> None:
    """Reading it is the service's NoSuchBucket."""
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        _bucket(server, session, "bench-999999").get_bucket_info()


def test_settings_that_no_bucket_has_are_answered_as_the_service_does(server: Server, session: oss2.Session) -> None:
    """No policy is an error, no Block Public Access is a false, no tags are none."""
    (name,) = server.load(1)
    bucket = _bucket(server, session, name)
    with pytest.raises(oss2.exceptions.NoSuchBucketPolicy):
        bucket.get_bucket_policy()
    assert bucket.get_bucket_public_access_block().block_public_access is False
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {}


def test_a_batch_holds_events_that_the_worker_takes(server: Server, queue: Queue) -> None:
    """At most sixteen, each about its own bucket."""
    names = server.load(20)
    batch = queue.batch_receive_message(16, 1)
    events = [decode(message.message_body) for message in batch]
    assert [event.resource_id for event in events if isinstance(event, Event)] == names[:16]
    snapshot = server.snapshot()
    assert (snapshot.visible, snapshot.hidden, snapshot.received) == (4, 16, 16)


def test_a_batch_deletion_names_what_it_could_not_delete(server: Server, queue: Queue) -> None:
    """The others are gone."""
    server.load(3)
    handles = [message.receipt_handle for message in queue.batch_receive_message(16, 1)]
    changed = queue.change_message_visibility(handles[0], 60)
    with pytest.raises(MNSServerException) as refused:
        queue.batch_delete_message(handles)
    assert [entry["ReceiptHandle"] for entry in refused.value.sub_errors] == [handles[0]]
    queue.delete_message(changed.receipt_handle)
    assert server.snapshot().deleted == 3
    assert all(track.deleted_at for track in server.tracks())


def test_a_long_poll_gets_what_is_sent_meanwhile(server: Server, queue: Queue) -> None:
    """It need not be asked again, and an empty queue is the service's MessageNotExist."""
    with pytest.raises(MNSServerException, match="MessageNotExist"):
        queue.receive_message(0)
    server.trickle(1, 10)
    assert queue.receive_message(30).dequeue_count == 1


def test_a_poll_whose_client_left_takes_no_message_along(server: Server, queue: Queue) -> None:
    """Otherwise every kill would cost a visibility timeout that no real queue costs."""
    with socket.create_connection(("127.0.0.1", server.ports.mns)) as left:
        left.sendall(f"GET /queues/{QUEUE}/messages?waitseconds=30 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while not server.snapshot().requests:
            pass
    server.load(1)
    assert queue.receive_message(30).dequeue_count == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own, about its own attributes
def test_the_attributes_are_those_that_the_sdk_wants(queue: Queue) -> None:
    """The visibility timeout is the one that the server was started with."""
    assert queue.get_attributes().visibility_timeout == 30


def test_a_long_poll_gets_what_comes_back_meanwhile(server: Server, queue: Queue) -> None:
    """A message whose visibility ends goes to who waits, without being asked for again."""
    server.load(1)
    queue.change_message_visibility(queue.receive_message(1).receipt_handle, 1)
    assert queue.receive_message(30).dequeue_count == 2
    assert server.snapshot().requests["mns:ReceiveMessage"] == 2


def test_a_look_at_the_dead_letter_queue_takes_no_message(server: Server, queue: Queue) -> None:
    """There is one queue here, and a peek finds nothing in the other one: the backlog stays for those who receive."""
    server.load(3)
    with pytest.raises(MNSServerException, match="MessageNotExist"):
        queue.batch_peek_message(16)
    assert server.snapshot().visible == 3
    assert len(queue.batch_receive_message(16, 0)) == 3

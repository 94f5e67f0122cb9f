"""MNS replies: what can be read beside the SDK, and that no reply at all can do worse than say nothing."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mns.mns_xml_handler import BatchRecvMessageDecoder

from consumer.aliyun.http import Reply
from consumer.aliyun.mns.messages import (
    LONGEST_LEASE_SECONDS,
    SHORTEST_LEASE_SECONDS,
    lease_seconds,
    peeked,
    received,
    rescued,
)
from consumer.aliyun.mns.replies import failed_deletes, from_service, queue_attributes
from consumer.core.message import body_md5
from consumer.core.parked import Carried, History, UserProperty, written
from consumer.core.queue_attributes import Figures, QueueAttributes

DATE = "Mon, 06 Sep 2021 05:58:39 GMT"
DATE_MS = 1_630_907_919_000
FAILED = "<Error><ErrorCode>X</ErrorCode><ReceiptHandle>a</ReceiptHandle></Error>"


def reply(body: str = "", status: int = 200, **headers: str) -> Reply:
    """A complete reply of the service."""
    return Reply(status, {"x-mns-request-id": "ID", "date": DATE, **headers}, body.encode(), True)


def message(message_id: str, *, body: str = "<MessageBody>text &amp; more</MessageBody>", **replaced: str) -> str:
    """One message element."""
    fields = {
        "MessageId": message_id,
        "ReceiptHandle": f"{message_id}-handle",
        "EnqueueTime": str(DATE_MS - 10_000),
        "FirstDequeueTime": str(DATE_MS - 5_000),
        "NextVisibleTime": str(DATE_MS + 30_000),
        "DequeueCount": "2",
        **replaced,
    }
    return "<Message>" + body + "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields.items()) + "</Message>"


def test_a_lease_is_the_difference_of_the_servers_own_two_stamps() -> None:
    """The local clock has no part in it, and the second that the Date header cannot show is given away."""
    assert lease_seconds(DATE_MS + 30_000, reply()) == 29.0


@pytest.mark.parametrize(
    ("next_visible_ms", "expected"),
    [
        (0, SHORTEST_LEASE_SECONDS),
        (DATE_MS - 10**9, SHORTEST_LEASE_SECONDS),
        (DATE_MS + 10**10, LONGEST_LEASE_SECONDS),
        (-(10**400), SHORTEST_LEASE_SECONDS),
        (10**400, LONGEST_LEASE_SECONDS),
    ],
)
def test_a_lease_stays_within_what_the_queue_can_mean(next_visible_ms: int, expected: float) -> None:
    """Absurd stamps of any size, also ones that no float can hold, make the shortest or the longest lease."""
    assert lease_seconds(next_visible_ms, reply()) == expected


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Sep 2021 05:58:39 GMT", "0", "\x00", ","])
def test_without_a_readable_date_the_lease_is_short(date: str) -> None:
    """A lease of unknown length is renewed at once, which tells."""
    assert lease_seconds(DATE_MS, reply(date=date)) == 5.0


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [-+\w]+", fullmatch=True), st.integers())
def test_no_stamp_is_ever_a_crash(date: str, next_visible_ms: int) -> None:
    """Whatever a server writes, the lease is between its bounds."""
    assert SHORTEST_LEASE_SECONDS <= lease_seconds(next_visible_ms, reply(date=date)) <= LONGEST_LEASE_SECONDS


def test_only_a_reply_with_a_request_id_is_the_services() -> None:
    """A web page of a proxy carries none."""
    assert from_service(reply())
    assert not from_service(Reply(200, {}, b"<html/>", True))


def test_a_confirmation_is_upper_case_hexadecimal() -> None:
    """The digest recorded from the real service."""
    recorded = "YToyOntzOjI6ImlkIjtpOjEwNTgyODc4O3M6MTA6ImVycm9yQ291bnQiO2k6MDt9"
    assert body_md5(recorded) == "3AED23FB70BD99FA907F5212F50DF7B9"


_bodies = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn")), min_size=1)


@given(bodies=st.lists(_bodies, min_size=1, max_size=4))
def test_a_batch_is_read_as_the_sdk_reads_it(bodies: list[str]) -> None:
    """Same messages, same fields, whatever is in the bodies; an empty one the SDK cannot read, and we can."""
    batch = "".join(
        message(f"m{number}", body=f"<MessageBody>{escape(body)}</MessageBody>", MessageBodyMD5="X", Priority="8")
        for number, body in enumerate(bodies)
    )
    text = f'<?xml version="1.0"?><Messages xmlns="http://mns.aliyuncs.com/doc/v1/">{batch}</Messages>'
    theirs = BatchRecvMessageDecoder.decode(text, False)
    assert [
        (one.message_id, one.body, one.receipt_handle, one.dequeue_count, one.enqueued_at_ms, one.first_dequeued_at_ms)
        for one in received(reply(text))
    ] == [
        (
            *(one.message_id, one.message_body, one.receipt_handle),
            *(one.dequeue_count, one.enqueue_time, one.first_dequeue_time),
        )
        for one in theirs
    ]


@pytest.mark.parametrize(
    "damaged",
    ["", "<html/>", f"<Messages>{message('a')[:-3]}", f"<Messages>{message('a')}<Message/></Messages>", message("a")],
)
def test_a_batch_that_cannot_be_read_whole_is_an_error(damaged: str) -> None:
    """So that it counts as damaged, and what is left of it is rescued one by one."""
    with pytest.raises((ValueError, ParseError)):
        received(reply(damaged))


def test_the_readable_messages_of_a_damaged_batch_are_rescued() -> None:
    """One with an empty body comes too, and one with an absurd stamp; one without a handle, or cut, is left out."""
    batch = (
        '<?xml version="1.0"?><Messages xmlns="http://mns.aliyuncs.com/doc/v1">'
        + message("a")
        + message("b", body="<MessageBody/>")
        + "<Message><MessageId>c</MessageId></Message>"
        + message("d", DequeueCount="many")
        + message("e", NextVisibleTime="9" * 400)
        + message("f", body="")[: -len("</Message>")]
        + message("g")
        + message("h")[:-20]
    )
    found = rescued(reply(batch), 16)
    assert [(one.message_id, one.body) for one in found] == [
        *[("a", "text & more"), ("b", ""), ("d", "text & more"), ("e", "text & more"), ("g", "text & more")]
    ]
    assert {one.damage for one in found} == {""}
    assert found[0].receipt_handle == "a-handle"
    assert (found[0].dequeue_count, found[0].lease_seconds) == (2, 29.0)
    assert found[2].dequeue_count == 1
    assert found[3].lease_seconds == SHORTEST_LEASE_SECONDS


@pytest.mark.parametrize(
    ("written", "body"),
    [
        ("a&#0;b", "a\0b"),
        ("\x01{&quot;a&quot;: &#x1F600;}&#13;", '\x01{"a": \U0001f600}\r'),
        ("&bad; &amp;lt; &#xD800; &#x110000; &#9999999;", "&bad; &lt; &#xD800; &#x110000; &#9999999;"),
        ("&", "&"),
        ("a < b", "a < b"),
    ],
)
def test_a_message_whose_body_damages_the_reply_comes_as_damaged(written: str, body: str) -> None:
    """With its id and its handle, so that it can leave the queue; what came of the body is for people."""
    batch = (
        f"<Messages>{message('a')}{message('b', body=f'<MessageBody>{written}</MessageBody>')}{message('c')}</Messages>"
    )
    whole, damaged, last = rescued(reply(batch), 16)
    assert (whole.damage, last.damage) == ("", "")
    assert (damaged.message_id, damaged.receipt_handle, damaged.body) == ("b", "b-handle", body)
    assert (damaged.dequeue_count, damaged.lease_seconds) == (2, 29.0)
    assert damaged.damage.startswith("the reply holds the body in a form that XML does not allow: ")
    damaged.body.encode("utf-8")  # as a dead letter needs it


def test_a_body_that_is_not_utf8_comes_as_damaged() -> None:
    """Byte by byte, where it is no text."""
    batch = f"<Messages>{message('a', body='<MessageBody>?</MessageBody>')}</Messages>".encode().replace(
        b"?", b"\xff\xc3"
    )
    (found,) = rescued(Reply(200, reply().headers, batch, True), 16)
    assert (found.message_id, found.body) == ("a", "\\xff\\xc3")
    assert found.damage


def test_no_more_messages_are_rescued_than_were_requested() -> None:
    """There is no room for others."""
    assert len(rescued(reply(message("a") * 40), 3)) == 3


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_whatever_a_body_is_its_message_can_be_taken_out(body: str) -> None:
    """As the service writes it: escaped, and everything that XML does not allow as it is."""
    written = message("a", body=f"<MessageBody>{escape(body)}</MessageBody>")
    (found,) = rescued(reply(f"<Messages>{written}</Messages>"), 16)
    assert (found.message_id, found.receipt_handle) == ("a", "a-handle")
    if found.damage:
        assert found.body == body
    else:  # a parser makes one kind of line end of all
        assert found.body == body.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("damaged", [reply(message("a"), status=500), Reply(200, {}, message("a").encode(), True)])
def test_nothing_is_rescued_from_an_error_or_a_stranger(damaged: Reply) -> None:
    """Only a good answer of the service itself can hold messages."""
    assert rescued(damaged, 16) == []


def test_failed_deletes_are_listed_by_handle() -> None:
    """Each failed handle with its code, entities decoded; the message text may be missing."""
    listed = (
        "<Errors><Error><ErrorCode>MessageNotExist</ErrorCode><ErrorMessage>Message not exist.</ErrorMessage>"
        "<ReceiptHandle>a&amp;b</ReceiptHandle></Error>"
        "<Error><ErrorCode>ReceiptHandleError</ErrorCode><ReceiptHandle>c</ReceiptHandle></Error></Errors>"
    )
    assert failed_deletes(reply(listed, status=404)) == {
        "a&b": ("MessageNotExist", "Message not exist."),
        "c": ("ReceiptHandleError", ""),
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<Error><Code>MessageNotExist</Code></Error>", 404),
        ("", 404),
        (f"<Errors>{FAILED}</Errors>", 204),
        ("<Errors><Error><ErrorCode>X</ErrorCode></Error></Errors>", 404),
        ("<Errors><Error><ReceiptHandle>a</ReceiptHandle></Error></Errors>", 404),
        (f"<Errors>{FAILED}<Error><ErrorCode>&bad;</ErrorCode><ReceiptHandle>b</ReceiptHandle></Error></Errors>", 404),
        (f"<Errors>{FAILED}<Error><ErrorCode>X</ErrorCode><ReceiptHandle>b</Rece", 404),
        (f"<Errors>{FAILED}", 404),
    ],
)
def test_half_a_list_is_no_list(body: str, status: int) -> None:
    """A list that cannot be read to its end would make the others look deleted."""
    assert failed_deletes(reply(body, status=status)) == {}


@given(st.binary(max_size=200) | st.text(alphabet="<>/ErrorsMessagReceiptHandle&;", max_size=200).map(str.encode))
def test_no_body_is_ever_a_crash(body: bytes) -> None:
    """Noise yields nothing."""
    for status in (200, 404):
        noise = Reply(status, {"x-mns-request-id": "ID"}, b"<Errors>" + body, True)
        assert len(rescued(noise, 16)) <= 16
        assert all(isinstance(handle, str) for handle in failed_deletes(noise))


def queue(**figures: str) -> str:
    """A reply to GetQueueAttributes, with the elements that clients cannot do without and these figures."""
    fields = {"VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "MaximumMessageSize": "65536", **figures}
    inside = "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields.items())
    return f'<?xml version="1.0"?><Queue xmlns="http://mns.aliyuncs.com/doc/v1">{inside}</Queue>'


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"ActiveMessages": "7", "InactiveMessages": "0", "DelayMessages": "2"}, Figures(7, 0, 2)),
        ({"ActiveMessages": "7"}, Figures(7, None, None)),
        ({}, Figures()),
        ({"ActiveMessages": "", "InactiveMessages": "-1", "DelayMessages": "many"}, Figures()),
    ],
)
def test_a_figure_that_the_queue_does_not_tell_is_none(figures: dict[str, str], told: Figures) -> None:
    """Neither a missing nor an absurd one is ever taken for 0, and the settings are read all the same."""
    found = queue_attributes(reply(queue(**figures)))
    assert found == QueueAttributes(30, 345_600, 65_536)
    assert found.figures == told


@pytest.mark.parametrize(
    "answer",
    [
        reply("<Queue></Queue>"),
        reply("<Queue>"),
        reply("<html/>"),
        reply(queue(VisibilityTimeout="soon")),
        reply(queue(), status=404),
        Reply(200, {}, queue().encode(), True),
    ],
)
def test_what_is_no_queue_has_no_attributes(answer: Reply) -> None:
    """Cut, of something else, refused, or not from the service at all."""
    assert queue_attributes(answer) is None


def _with_properties(*entries: str, **fields: str) -> str:
    return message(
        "m", UserProperties="".join(f"<PropertyValue>{entry}</PropertyValue>" for entry in entries), **fields
    )


FOREIGN = "<Name>trace</Name><Value>a &amp; b</Value><Type>STRING</Type>"
HISTORY = History("origin", DATE_MS - 90_000, DATE_MS - 80_000, 2, 1, "held:paused")
OURS = [f"<Name>{one.name}</Name><Value>{one.value}</Value><Type>{one.type}</Type>" for one in written(HISTORY)]


@pytest.mark.parametrize("before", ["", "<Message>cut"])
def test_properties_are_read_also_where_the_batch_as_a_whole_cannot_be(before: str) -> None:
    """SendMessage's page lists them as UserProperties/PropertyValue with Name, Value and Type."""
    text = f"<Messages>{before}{_with_properties(FOREIGN, *OURS)}</Messages>"
    (found,) = rescued(reply(text), 16) if before else received(reply(text))
    assert found.carried == Carried(HISTORY, (UserProperty("trace", "a & b"),))
    assert (found.origin_id, found.attempts, found.receipts) == ("origin", 1, 4)
    assert (found.first_enqueued_ms, found.first_received_ms) == (DATE_MS - 90_000, DATE_MS - 80_000)


def test_a_message_that_is_damaged_keeps_its_history_and_is_never_sent_again() -> None:
    """Its letter says since when it waits; what of its body is lost nobody knows."""
    damaged = _with_properties(FOREIGN, *OURS).replace("text", "te\x01xt")
    (found,) = rescued(reply(f"<Messages>{damaged}</Messages>"), 16)
    assert (found.origin_id, found.repeatable) == ("origin", False)


def test_a_group_keeps_nothing_from_being_sent_again() -> None:
    """Events are worked on in any order, and nobody reads the group."""
    (found,) = received(reply(f"<Messages>{_with_properties(MessageGroupId='g')}</Messages>"))
    assert found.carried.whole


@pytest.mark.parametrize(
    ("text", "priority"), [("1", 1), ("16", 16), ("0", None), ("17", None), ("x", None), ("", None)]
)
def test_a_priority_is_one_that_can_be_sent_again(text: str, priority: int | None) -> None:
    """A copy has the priority of its original, if that is one."""
    (found,) = received(reply(f"<Messages>{message('m', Priority=text)}</Messages>"))
    assert found.priority == priority


@pytest.mark.parametrize(
    ("enqueued", "age"), [(DATE_MS - 10_000, 10.0), (DATE_MS + 5_000, 0.0), (0, 0.0), (10**40, 0.0)]
)
def test_the_age_of_a_message_is_the_difference_of_the_servers_own_two_stamps(enqueued: int, age: float) -> None:
    """No local clock has a part in it; what is unknown or absurd is no age."""
    (found,) = received(reply(f"<Messages>{message('m', EnqueueTime=str(enqueued))}</Messages>"))
    assert found.age_seconds == age


def test_a_peek_shows_where_a_copy_comes_from() -> None:
    """Also one that the SDK gives a whole batch up for, because a property is not of its type."""
    bad = "<Name>n</Name><Value>no number</Value><Type>NUMBER</Type>"
    (found,) = peeked(reply(f"<Messages>{_with_properties(bad, *OURS)}</Messages>"))
    assert found.carried == Carried(HISTORY, (UserProperty("n", "no number", "NUMBER"),), whole=False)

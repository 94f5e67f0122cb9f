"""Topics, subscriptions and what is pushed into queues, through the real SDK."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from mns.mns_exception import MNSServerException
from mns.queue import QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import Base64TopicMessage, TopicMessage, TopicMeta

from tests.emulator.mns.running import Running

NOTIFICATION = "{http://mns.aliyuncs.com/doc/v1/}"


def code(error: pytest.ExceptionInfo[MNSServerException]) -> str:
    return str(error.value.type)


@pytest.fixture
def topic(account: Any) -> Any:
    created = account.get_topic("t")
    created.create(TopicMeta())
    return created


def endpoint(mns: Running, queue: str = "q") -> str:
    return f"acs:mns:{mns.endpoints.region}:{mns.endpoints.account_id}:queues/{queue}"


def subscribe(mns: Running, topic: Any, content_format: str = "SIMPLIFIED", tag: str = "", name: str = "s") -> Any:
    subscription = topic.get_subscription(name)
    subscription.subscribe(SubscriptionMeta(endpoint(mns), filter_tag=tag, notify_content_format=content_format))
    return subscription


def test_creating_the_same_topic_twice_is_fine_and_a_different_one_is_not(account: Any, mns: Running) -> None:
    """201, then 204 with the address again, then TopicAlreadyExist."""
    topic = account.get_topic("t")
    url = topic.create(TopicMeta(maximum_message_size=2048))
    assert url == topic.create(TopicMeta(maximum_message_size=2048)) == f"{mns.endpoints.mns}/topics/t"
    with pytest.raises(MNSServerException) as error:
        topic.create(TopicMeta())
    assert code(error) == "TopicAlreadyExist"


def test_topic_attributes(topic: Any) -> None:
    """Defaults, changes that keep the rest, and the fixed retention of one day."""
    topic.set_attributes(TopicMeta(maximum_message_size=8192))
    topic.set_attributes(TopicMeta(logging_enabled=True))
    found = topic.get_attributes()
    assert (found.topic_name, found.maximum_message_size, found.logging_enabled) == ("t", 8192, True)
    assert (found.message_retention_period, found.message_count) == (86400, 0)


@pytest.mark.parametrize(("name", "expected"), [("_", "TopicNameInvalid"), ("t" * 121, "TopicNameLengthError")])
def test_topic_names(account: Any, name: str, expected: str) -> None:
    """The same rule as for queues, with errors of their own."""
    with pytest.raises(MNSServerException) as error:
        account.get_topic(name).create(TopicMeta())
    assert code(error) == expected


def test_listing_topics_and_subscriptions_pages_by_prefix(account: Any, mns: Running, topic: Any) -> None:
    """Both lists page like the list of queues."""
    account.get_topic("t2").create(TopicMeta())
    first, marker = account.list_topic("t", 1)
    second, end = account.list_topic("t", 1, marker)
    assert ([url.rpartition("/")[2] for url in first + second], end) == (["t", "t2"], "")
    for name in ("s1", "s2", "x1"):
        subscribe(mns, topic, name=name)
    first, marker = topic.list_subscription("s", 1)
    second, end = topic.list_subscription("s", 1, marker)
    assert ([url.rpartition("/")[2] for url in first + second], end) == (["s1", "s2"], "")


def test_a_deleted_topic_is_unknown(topic: Any) -> None:
    """Deleting is idempotent; afterwards reading, setting and publishing are TopicNotExist."""
    topic.delete()
    topic.delete()
    for act in (
        topic.get_attributes,
        lambda: topic.set_attributes(TopicMeta(maximum_message_size=8192)),
        lambda: topic.publish_message(TopicMessage("a")),
    ):
        with pytest.raises(MNSServerException) as error:
            act()
        assert code(error) == "TopicNotExist"


def test_subscription_attributes(mns: Running, topic: Any) -> None:
    """The defaults are XML and BACKOFF_RETRY; only the strategy can be changed."""
    subscription = topic.get_subscription("s")
    subscription.subscribe(SubscriptionMeta(endpoint(mns), notify_strategy="", notify_content_format=""))
    subscription.set_attributes(SubscriptionMeta(notify_strategy="EXPONENTIAL_DECAY_RETRY"))
    found = subscription.get_attributes()
    assert (found.topic_name, found.subscription_name, found.endpoint) == ("t", "s", endpoint(mns))
    assert (found.topic_owner, found.notify_content_format) == (mns.endpoints.account_id, "XML")
    assert (found.notify_strategy, found.filter_tag) == ("EXPONENTIAL_DECAY_RETRY", "")


def test_subscribing_twice(mns: Running, topic: Any) -> None:
    """The same again is fine; another format under the same name is SubscriptionAlreadyExist."""
    subscribe(mns, topic)
    subscribe(mns, topic)
    with pytest.raises(MNSServerException) as error:
        subscribe(mns, topic, "XML")
    assert code(error) == "SubscriptionAlreadyExist"


@pytest.mark.parametrize(
    "text", ["http://example.com/", "https://example.com/", "mail:directmail:a@b.c", "sms:directsms:anonymous"]
)
def test_endpoints_that_are_accepted_and_never_called(topic: Any, text: str) -> None:
    """Other kinds of endpoints can be subscribed; publishing past them works."""
    topic.get_subscription("s").subscribe(SubscriptionMeta(text))
    assert topic.publish_message(TopicMessage("a")).message_id


@pytest.mark.parametrize("text", ["ftp://example.com/", "queues/q", "acs:mns:cn-hangzhou:1:topics/t"])
def test_endpoints_that_are_none(topic: Any, text: str) -> None:
    """Anything else is EndpointInvalid."""
    with pytest.raises(MNSServerException) as error:
        topic.get_subscription("s").subscribe(SubscriptionMeta(text))
    assert code(error) == "EndpointInvalid"


def test_a_queue_smaller_than_its_topic_cannot_subscribe(account: Any, mns: Running, topic: Any) -> None:
    """The queue has to take the largest message of the topic."""
    account.get_queue("q").create(QueueMeta(max_msg_size=1024))
    with pytest.raises(MNSServerException) as error:
        subscribe(mns, topic)
    assert code(error) == "InvalidArgument"


def test_unsubscribing_is_idempotent(mns: Running, topic: Any) -> None:
    """Afterwards the subscription is unknown, to reading and to setting."""
    subscription = subscribe(mns, topic)
    subscription.unsubscribe()
    subscription.unsubscribe()
    for act in (
        subscription.get_attributes,
        lambda: subscription.set_attributes(SubscriptionMeta(notify_strategy="BACKOFF_RETRY")),
    ):
        with pytest.raises(MNSServerException) as error:
            act()
        assert code(error) == "SubscriptionNotExist"


def test_simplified_is_exactly_what_was_published(mns: Running, topic: Any, queue: Any) -> None:
    """Raw or base64, the queue gets what the publisher sent; the digest is of that."""
    subscribe(mns, topic)
    for message in (TopicMessage("<b>&"), Base64TopicMessage("<b>&")):
        published = topic.publish_message(message)
        received = queue.receive_message()
        assert received.message_body in ("<b>&", "PGI+Jg==")
        assert received.message_body_md5 == published.message_body_md5
        assert received.message_id != published.message_id


def test_the_xml_envelope(mns: Running, topic: Any, queue: Any) -> None:
    """The default format is a notification with the published text as text."""
    subscribe(mns, topic, "XML")
    published = topic.publish_message(TopicMessage("<b>&", "tag"))
    notification = fromstring(queue.receive_message().message_body)  # noqa: S314 - our own text
    fields = {element.tag.removeprefix(NOTIFICATION): element.text for element in notification}
    assert int(fields.pop("PublishTime") or 0) > 1_700_000_000_000
    assert fields == envelope(mns, published.message_id)


def test_the_json_envelope(mns: Running, topic: Any, queue: Any) -> None:
    """The same fields as JSON, the time as a string."""
    subscribe(mns, topic, "JSON")
    published = topic.publish_message(TopicMessage("<b>&", "tag"))
    fields = json.loads(queue.receive_message().message_body)
    assert int(fields.pop("PublishTime")) > 1_700_000_000_000
    assert fields == envelope(mns, published.message_id)


def envelope(mns: Running, message_id: str) -> dict[str, str]:
    return {
        "TopicOwner": mns.endpoints.account_id,
        "TopicName": "t",
        "Subscriber": mns.endpoints.account_id,
        "SubscriptionName": "s",
        "MessageId": message_id,
        "Message": "<b>&",
        "MessageMD5": hashlib.md5(b"<b>&", usedforsecurity=False).hexdigest().upper(),
        "MessageTag": "tag",
    }


def test_a_filter_tag_lets_only_its_own_messages_through(mns: Running, topic: Any, queue: Any) -> None:
    """A subscription with a tag gets messages with that tag; one without gets all."""
    subscribe(mns, topic, tag="red", name="red")
    subscribe(mns, topic, name="all")
    for body, tag in (("one", "red"), ("two", "blue"), ("three", "")):
        topic.publish_message(TopicMessage(body, tag))
    received = [message.message_body for message in queue.batch_receive_message(16)]
    assert sorted(received) == ["one", "one", "three", "two"]


def test_the_journal_links_a_push_to_what_was_published(mns: Running, topic: Any, queue: Any) -> None:
    """A push has an entry with both message ids, right after that of its publication."""
    subscribe(mns, topic)
    published = topic.publish_message(TopicMessage("a"))
    received = queue.receive_message()
    (publish_entry,), (push_entry,) = mns.journal("PublishMessage"), mns.journal("PushToQueue")
    assert push_entry["sequence"] == publish_entry["sequence"] + 1
    assert push_entry["published_message_id"] == published.message_id == publish_entry["message_id"]
    assert (push_entry["message_id"], push_entry["body"]) == (received.message_id, "a")
    assert (push_entry["topic"], push_entry["subscription"]) == ("t", "s")


def test_publishing_without_http(mns: Running, topic: Any, queue: Any) -> None:
    """What a neighbour publishes in the process arrives like anything else; a missing topic is a KeyError."""
    subscribe(mns, topic, tag="red")
    message_id = mns.inside(lambda: mns.service.publish("t", "a", "red"))
    assert queue.receive_message().message_body == "a"
    assert mns.journal("PublishMessage")[0]["message_id"] == message_id
    with pytest.raises(KeyError):
        mns.inside(lambda: mns.service.publish("missing", "a"))

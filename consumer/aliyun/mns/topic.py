"""The gateway of a topic that announcements are published to. A `Topic` belongs to one thread, as a `Queue` does.

Publish: https://www.alibabacloud.com/help/en/mns/developer-reference/publishmessage
"""

from __future__ import annotations

from mns.topic import TopicMessage

from consumer.aliyun.mns.queue import Connection
from consumer.core.errors import PermanentError, PermissionMissing, UnknownRefusal
from consumer.core.message import body_md5
from consumer.core.queue_limits import MAX_MESSAGE_BYTES


class Topic(Connection):
    """Publishes to the topic that its address names."""

    def publish(self, body: str, tag: str) -> str:
        """Publish a message as it is, not in base64; returns its id once the service has confirmed exactly this body.

        `tag` has at most 16 characters; subscriptions can filter by it.

        Raises:
            ServiceError: it is not known to be published.
        """
        topic = self._account.get_topic(self._address.name)
        sent = self._call("PublishMessage", lambda: topic.publish_message(TopicMessage(body, tag)))
        if self._exchange.reply.status != 201 or sent.message_body_md5.upper() != body_md5(body):
            raise self._not_an_answer("PublishMessage")
        return str(sent.message_id)

    def publishes(self) -> bool:
        """Whether publishing is granted, found out with a body that is larger than any topic takes, so with none.

        That it is refused for its size means that publishing is granted, if the service looks at the grant first. No
        page says so; a refusal for a missing grant is certain in any case. False where the refusal is one that nobody
        knows, which proves nothing.

        Raises:
            ServiceError: publishing is not granted, the topic is not there, or the service does not answer.
        """
        try:
            self.publish("x" * (MAX_MESSAGE_BYTES + 1), "check")
        except UnknownRefusal:
            return False
        except PermanentError as error:
            if isinstance(error, PermissionMissing) or error.code == "TopicNotExist":
                raise
        return True

"""What a command works with: the configuration, credentials that never show, and gateways made from both.

Everything opened here is closed at the end of the `with` block.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from consumer.aliyun.cloud_config import CloudConfig
from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.aliyun.mns.admin import Channel
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.aliyun.mns.topic import Topic
from consumer.aliyun.standard_chain import StandardChain, explained
from consumer.app.build import build_members, evaluator_url
from consumer.app.clients import ClientParts, build_client, build_retrier
from consumer.config import Config, load
from consumer.core.errors import CredentialsUnavailable, NotAuthenticated
from consumer.core.observers import Hooks
from consumer.operator import typed
from consumer.resources.base import Opener, Resource, Target
from consumer.resources.catalogue import kinds
from consumer.telemetry import log
from consumer.telemetry.redaction import SecretRegisteringProvider


class Session:
    """One command's gateways, for one thread."""

    def __init__(self, path: Path, config: Config, credentials: CredentialsProvider, closing: ExitStack) -> None:
        self.path = path
        """The configuration's file, as it was named."""
        self.config = config
        self.credentials = credentials
        self.hooks = Hooks()
        self._closing = closing
        self._clients: dict[str, Opener] = {}
        """By resource type; made when one of them is opened for the first time."""
        self._retrier = build_retrier(config, self.hooks, threading.Event())

    def command(self, *words: str) -> str:
        """A command for a person to type, with this configuration."""
        return typed.command(*words, config=self.path)

    def queue(self, name: str) -> Queue:
        """A queue's gateway."""
        opened = Queue(self._address(name), self.credentials, self.hooks)
        self._closing.callback(opened.close)
        return opened

    def channel(self) -> Channel:
        """The gateway of topic, subscription and queues."""
        opened = Channel(self._address(self.config.queue.name), self.credentials, self.hooks)
        self._closing.callback(opened.close)
        return opened

    def topic(self, name: str) -> Topic:
        """The gateway of a topic that is published to."""
        opened = Topic(self._address(name), self.credentials, self.hooks)
        self._closing.callback(opened.close)
        return opened

    def evaluator(self, wanted_by: str) -> CloudConfig:
        """The gateway of Cloud Config, whether or not the worker is configured to ask it.

        Raises:
            ConfigurationError: its package is not installed; the text names what wants it.
        """
        return CloudConfig(evaluator_url(self.config), self.credentials, self.hooks, wanted_by=wanted_by)

    def open(self, resource: Resource, until: Callable[[], float]) -> Target[Any]:
        """A resource of any kind, whose requests are tried again as the worker does, until a monotonic moment at most.

        Raises:
            ConfigurationError: the packages that its kind needs are not installed.
        """
        kind = kinds()[resource.resource_type]
        if kind.resource_type not in self._clients:
            parts = ClientParts(
                self.config, self.credentials, build_members(self.config, self.credentials), self.hooks, self._retrier
            )
            self._clients[kind.resource_type] = made = build_client(parts, kind)
            self._closing.callback(made.close)
        return self._clients[kind.resource_type].open(resource, until)

    def _address(self, name: str) -> QueueAddress:
        settings = self.config.queue
        return QueueAddress(
            self.config.mns_endpoint, name, settings.connect_timeout_seconds, settings.call_timeout_seconds
        )


@contextmanager
def opened(path: Path) -> Iterator[Session]:
    """A session with the configuration in a file and the credentials of the standard chain.

    Raises:
        ConfigurationError: the configuration cannot be used, or there are no credentials.
        CredentialsUnavailable: their source does not answer.
    """
    config = load(path, os.environ)
    with made(path, config, own_credentials(config)) as session:
        yield session


def own_credentials(config: Config) -> KeptCredentials:
    """The credentials of the standard chain, which is queried now.

    Raises:
        ConfigurationError: there are none, or their source refuses to give any.
        CredentialsUnavailable: their source does not answer.
    """
    kept = KeptCredentials(SecretRegisteringProvider(StandardChain(sts_endpoint=config.accounts.sts_endpoint)))
    try:
        kept.checked()
    except CredentialsUnavailable:
        raise
    except NotAuthenticated as error:
        raise explained(error) from error
    return kept


@contextmanager
def made(path: Path, config: Config, credentials: CredentialsProvider) -> Iterator[Session]:
    """A session with what is known already; `path` is the configuration's file."""
    # What the vendors' SDKs have to say goes past the redactor, to standard error.
    log.configure("console", "warning", sys.stderr)
    with ExitStack() as closing:
        yield Session(path, config, credentials, closing)

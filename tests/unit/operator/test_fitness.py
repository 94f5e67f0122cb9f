"""What provision would set always passes check."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aliyun.mns.admin import Subscription
from consumer.config import Config, load
from consumer.core.queue_attributes import QueueAttributes
from consumer.operator import queue_fit
from tests.unit.config_files import SMALLEST

_COMMAND = "config-remediator provision --apply"


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The smallest configuration."""
    path: Path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(SMALLEST, encoding="utf-8")
    return load(path, {})


attributes = st.builds(
    QueueAttributes,
    st.integers(1, 43_200),
    st.integers(60, 604_800),
    st.integers(1_024, 65_536),
)


@given(found=st.none() | attributes, topic_bytes=st.none() | st.integers(8_192, 65_536))
def test_what_is_wanted_of_a_queue_fits(config: Config, found: QueueAttributes | None, topic_bytes: int | None) -> None:
    """Whatever is found, the attributes to set leave no finding, and setting them twice changes nothing."""
    wanted = queue_fit.wanted_queue(config, found, topic_bytes)
    assert list(queue_fit.queue(config, wanted, topic_bytes, _COMMAND)) == []
    assert queue_fit.wanted_queue(config, wanted, topic_bytes) == wanted


@given(found=st.none() | attributes, queue=attributes)
def test_what_is_wanted_of_a_dead_letter_queue_fits(found: QueueAttributes | None, queue: QueueAttributes) -> None:
    """The same for the dead-letter queue."""
    wanted = queue_fit.wanted_dead_letter_queue(found, queue)
    assert list(queue_fit.dead_letter_queue(wanted, queue, _COMMAND)) == []
    assert queue_fit.wanted_dead_letter_queue(wanted, queue) == wanted


def test_what_is_wanted_of_a_subscription_fits(config: Config) -> None:
    """The subscription that would be made has nothing wrong with it."""
    assert list(queue_fit.subscription(config, queue_fit.wanted_subscription(config), _COMMAND)) == []


@pytest.mark.parametrize("content_format", ["XML", "JSON"])
def test_a_wrapped_format_is_only_warned_of(config: Config, content_format: str) -> None:
    """The worker decodes all three."""
    found = Subscription(queue_fit.subscription_endpoint(config), queue_fit.PATIENT, content_format)
    assert [each.status for each in queue_fit.subscription(config, found, _COMMAND)] == ["warning"]

"""An alias of before there was `consumer.plugin`; import from that."""

from consumer.core.errors import *  # noqa: F403 - every name that was here before

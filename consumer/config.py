"""The configuration's public face: read a TOML file and the environment into one validated, immutable `Config`."""

from __future__ import annotations

from consumer.config_model import Config
from consumer.config_rules import RuleConfig
from consumer.config_sections import EngineConfig, HttpConfig, LogConfig, OssConfig, QueueConfig, RetryConfig
from consumer.rule import Rule

__all__ = [
    "Config",
    "EngineConfig",
    "HttpConfig",
    "LogConfig",
    "OssConfig",
    "QueueConfig",
    "RetryConfig",
    "RuleConfig",
    "build_rules",
]


def build_rules(config: Config) -> tuple[Rule, ...]:
    """The rules that the engine works with, in the order of the configuration."""
    return tuple(rule.build(config.retry.hold_seconds) for rule in config.rules)

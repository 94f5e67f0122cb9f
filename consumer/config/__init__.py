"""The configuration's public face: read a TOML file and the environment into one validated, immutable `Config`.

`config_model` is the whole, `config_sections`, `config_engine` and `config_rules` its tables; `config_load` reads,
`config_env` overrides, `config_errors` explains. Others import from here alone.
"""

from __future__ import annotations

from consumer.config.load import EffectiveValue, LoadedConfig, SourceKind, load, load_with_sources
from consumer.config.model import Config
from consumer.config.schema import json_schema
from consumer.config.sections.engine import EngineConfig, RetryConfig
from consumer.config.sections.rules import RuleConfig
from consumer.config.sections.services import HttpConfig, LogConfig, OssConfig, QueueConfig
from consumer.guards.exemptions import Exemption
from consumer.guards.rule import Rule

__all__ = [
    "Config",
    "EffectiveValue",
    "EngineConfig",
    "HttpConfig",
    "LoadedConfig",
    "LogConfig",
    "OssConfig",
    "QueueConfig",
    "RetryConfig",
    "RuleConfig",
    "SourceKind",
    "build_exemptions",
    "build_rules",
    "json_schema",
    "load",
    "load_with_sources",
]


def build_exemptions(config: Config) -> tuple[Exemption, ...]:
    """The exemptions that the guards work with, in the order of the configuration."""
    return tuple(exemption.build() for exemption in config.exemptions)


def build_rules(config: Config) -> tuple[Rule, ...]:
    """The rules that the engine works with, in the order of the configuration."""
    return tuple(rule.build(config.retry.hold_seconds) for rule in config.rules)

"""The configuration as JSON Schema, with the options of every remediation: editors complete TOML with it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from consumer.config.model import Config
from consumer.config.sections.rules import RuleConfig
from consumer.remediations.catalogue import catalogue


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file, without the checks across keys."""
    kinds = catalogue()
    models: list[type[BaseModel]] = [Config, *(kind.Options for kind in kinds.values())]
    references, shared = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = shared["$defs"]
    rule = definitions[RuleConfig.__name__]
    rule["properties"]["remediation"]["enum"] = sorted(kinds)
    rule["allOf"] = [
        {
            "if": {"properties": {"remediation": {"const": name}}},
            "then": {"properties": {"options": references[kind.Options, "validation"]}},
        }
        for name, kind in sorted(kinds.items())
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config-remediator",
        "$ref": references[Config, "validation"]["$ref"],
        "$defs": definitions,
    }

"""Resolves the ROS template as ROS would, as far as the template goes: parameters, conditions and functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.deploy.needed import DEPLOY

TEMPLATE = DEPLOY / "ros/config-remediator.yml"
_VARIABLE = re.compile(r"\$\{([^}!]+)\}")
_NO_VALUE = "ALIYUN::NoValue"


def template(text: str | None = None) -> dict[str, Any]:
    """The template, or another text, as it is parsed."""
    return dict(yaml.safe_load(text or TEMPLATE.read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class Stack:
    """A template with values for its parameters. What only exists afterwards stays `Resource.Attribute`.

    Functions: https://www.alibabacloud.com/help/en/ros/user-guide/functions
    """

    document: Mapping[str, Any]
    account: str = "1234567890123456"
    region: str = "ap-southeast-1"
    given: Mapping[str, Any] | None = None

    def properties(self, name: str) -> dict[str, Any]:
        """A resource's properties."""
        return dict(self._resolved(self.document["Resources"][name]["Properties"]))

    def has(self, name: str) -> bool:
        """Whether the resource is made."""
        condition = self.document["Resources"][name].get("Condition")
        return condition is None or self._holds(condition)

    def output(self, name: str) -> str:
        """An output's value."""
        return str(self._resolved(self.document["Outputs"][name]["Value"]))

    def _holds(self, condition: str) -> bool:
        return bool(self._resolved(self.document["Conditions"][condition]))

    def _value(self, name: str) -> Any:
        pseudo = {"ALIYUN::Region": self.region, "ALIYUN::TenantId": self.account, _NO_VALUE: None}
        if name in pseudo:
            return pseudo[name]
        return (self.given or {}).get(name, self.document["Parameters"][name].get("Default"))

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._resolved(each) for each in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._called(name, argument)
        resolved = {name: self._resolved(each) for name, each in node.items()}
        return {name: each for name, each in resolved.items() if each is not None}

    def _called(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._value(argument)
            case "Fn::GetAtt":
                return ".".join(argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self._resolved(then if self._holds(condition) else otherwise)
            case "Fn::Equals":
                first, second = self._resolved(argument)
                return first == second
            case "Fn::Not":
                return not self._resolved(argument)
            case "Fn::Sub":
                text, values = (argument, {}) if isinstance(argument, str) else argument
                known = self._resolved(values)
                return _VARIABLE.sub(lambda found: str(known.get(found[1]) or self._value(found[1])), text)
        raise AssertionError(f"{function} is no function that this knows")

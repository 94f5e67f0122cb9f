"""How a change that is announced can be taken back: the command, and a sentence for a person. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.announcements.records import Kind, ResourceName

_CAN = ("yes", "in part")
"""How what a remediation says of undoing begins where a person can take its changes back."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is known of taking changes back."""

    words: Mapping[str, str] = field(default_factory=dict)
    """What each remediation says of it, by name: `yes: the ACL found is put back`."""
    journaled: bool = False
    """Whether there is a journal, without which no command takes anything back."""

    def command(self, remediation: str, identity: str) -> str:
        """The command that takes a change back; empty where none can, or where the change has no identity."""
        can = self.journaled and self.words.get(remediation, "").startswith(_CAN)
        return f"config-remediator undo {shlex.quote(identity)}" if can and identity else ""

    def of_change(self, remediation: str, command: str) -> str:
        """For a person, about a change that was made."""
        word = self._word(remediation)
        if command:
            return f"{command} ({word})"
        if self.words.get(remediation, "").startswith(_CAN):
            return "no command can, because no journal has the change; put back by hand what stands in before"
        return word

    def of_none(self, kind: Kind, remediation: str, message_id: str, *, begun: bool) -> str:
        """For a person, about a change that was wanted: it was not made, or nobody knows whether it was."""
        if begun:
            return f"a change was begun and may stand; config-remediator explain {shlex.quote(message_id)} shows it"
        if kind is Kind.DEAD_LETTERED:
            return "nothing was changed, so there is nothing to undo"
        return f"nothing was changed, so there is nothing to undo; whether the change can be: {self._word(remediation)}"

    def _word(self, remediation: str) -> str:
        return self.words.get(remediation) or "not known: the remediation does not say"


def of_undo(resource: ResourceName, rule: str) -> str:
    """For a person, about an undo: what makes the change again."""
    return shlex.join(("config-remediator", *words_of_undo(resource, rule)))


def words_of_undo(resource: ResourceName, rule: str) -> tuple[str, ...]:
    """The same as words, without the program."""
    region = ("--region", resource.region) if resource.region else ()
    return ("repair", resource.resource_id, "--rule", rule, "--account", resource.account_id, *region, "--apply")

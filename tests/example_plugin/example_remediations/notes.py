"""A kind of resource of somebody else's, with its repair: notes, each a file, that not everyone is to read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from consumer.plugin import (
    Change,
    ClientContext,
    Compliant,
    ConfigurationError,
    Finding,
    Identity,
    InstalledKind,
    Options,
    Remediation,
    Resource,
    ResourceGone,
    ResourceKind,
)


@dataclass(frozen=True)
class NoteIdentity(Identity):
    """One note, as a look shows it."""

    readers: str = "everyone"


class NoteKind(InstalledKind):
    """`Example::Desk::Note`; the id is a word."""

    resource_type: ClassVar[str] = "Example::Desk::Note"
    noun: ClassVar[str] = "note"
    look_actions: ClassVar[tuple[str, ...]] = ("desk:GetNote",)
    tag_actions: ClassVar[tuple[str, ...]] = ("desk:GetNote",)

    def names(self, resource_id: str) -> bool:
        """A word, so that it leads to no other folder."""
        return resource_id.isascii() and resource_id.isalnum()

    def absent(self) -> str:
        """There is no such note."""
        return "absent"

    def arn(self, resource_id: str) -> str:
        """Of one note."""
        return f"acs:desk:*:*:note/{resource_id}"

    def connect(self, context: ClientContext) -> Desk:
        """The desk that the environment names."""
        folder = os.environ.get("EXAMPLE_DESK")
        if not folder:
            raise ConfigurationError("no desk is named", "set EXAMPLE_DESK to the folder of the notes")
        return Desk(context, Path(folder))


class Desk:
    """Opens notes."""

    def __init__(self, context: ClientContext, folder: Path) -> None:
        self._context = context
        self._folder = folder

    def open(self, resource: Resource, until: Callable[[], float]) -> Note:
        """One note for one delivery."""
        return Note(self._context, self._folder / resource.resource_id, until)

    def close(self) -> None:
        """Nothing is kept open."""


class Note:
    """One note for one delivery."""

    def __init__(self, context: ClientContext, path: Path, until: Callable[[], float]) -> None:
        self.request_ids: list[str] = []
        self.granted: set[str] = set()
        self._context = context
        self._path = path
        self._until = until

    def identity(self) -> NoteIdentity:
        """Whose it is, when it was written, and who may read it."""
        found = self._context.retries.call(self._read, until=self._until)
        self.granted.add("desk:GetNote")
        return NoteIdentity(found["owner"], "", found["written"], found["readers"])

    def tags(self) -> Mapping[str, str]:
        """Notes have none."""
        return {}

    def share(self, readers: str) -> None:
        """Let these read it."""
        self._path.write_text(json.dumps({**self._read(), "readers": readers}), encoding="utf-8")

    def _read(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ResourceGone("desk", "GetNote", "NoSuchNote", "there is no such note") from None
        return found


NOTES = NoteKind()


class PrivateNote(Remediation[Note, NoteIdentity, str]):
    """For the eyes of its owner."""

    kind: ClassVar[ResourceKind] = NOTES
    name: ClassVar[str] = "desk.private-note"
    summary: ClassVar[str] = "lets only the owner read the note"
    repairs: ClassVar[tuple[str, ...]] = ()
    reversible: ClassVar[str] = "yes: the readers found are put back"
    may_break: ClassVar[str] = "whoever read along"
    actions: ClassVar[tuple[str, ...]] = ("desk:ShareNote",)

    Options: ClassVar[type[Options]] = Options

    def inspect(self, note: Note, identity: NoteIdentity) -> str:  # noqa: ARG002 - the look has it
        """Who may read it."""
        return identity.readers

    def plan(self, state: str) -> Finding:
        """The owner."""
        return Compliant(state) if state == "owner" else Change(state, "owner")

    def apply(self, note: Note, change: Change) -> None:
        """Share it with those."""
        note.share(change.after)

    def revert(self, note: Note, change: Change) -> None:
        """Share it as before."""
        note.share(change.before)

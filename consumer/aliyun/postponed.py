"""Puts off running modules that a vendor's SDK imports and that no request of ours needs, until the SDK uses them.

An SDK is one package, and importing any of it imports all of it. While it is imported, a stand-in is found under the
names of those modules, and afterwards no more: whoever else imports one gets the vendor's own, as ever. So does the
SDK, through its stand-in, as soon as it looks for anything in there.

Python's own `importlib.util.LazyLoader` runs a module as soon as somebody writes `import module`, because the import
system looks into it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class _StandIn(ModuleType):
    """What the SDK has in place of a module: whatever it looks for comes from the module itself."""

    def __getattr__(self, name: str) -> Any:
        _remove(self)  # where it is still found, it would be found instead of the module
        return getattr(import_module(self.__name__), name)


@contextmanager
def postponed(*names: str) -> Iterator[None]:
    """Whatever is imported inside gets stand-ins for these modules.

    One that has run already is left alone, and one that does not exist to whoever imports it, with the usual error.
    """
    stand_ins = [made for name in names if (made := _stand_in(name)) is not None]
    try:
        yield
    finally:
        for each in stand_ins:
            _remove(each)


def _stand_in(name: str) -> _StandIn | None:
    try:
        spec = None if name in sys.modules else find_spec(name)
    except ModuleNotFoundError:  # a package above it
        return None
    if spec is None or name in sys.modules:  # the package above it has imported it
        return None
    made = _StandIn(name)
    if spec.submodule_search_locations is not None:
        made.__path__ = spec.submodule_search_locations
    sys.modules[name] = made
    return made


def _remove(stand_in: _StandIn) -> None:
    """Let nobody find it any more, nor modules below it, which have been imported without what is above them."""
    name = stand_in.__name__
    if sys.modules.get(name) is stand_in:
        for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[each]

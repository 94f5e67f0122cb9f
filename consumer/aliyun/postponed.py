"""Puts off running modules that a vendor's SDK imports and that no request of ours needs, until somebody uses them.

An SDK is one package, and importing any of it imports all of it. A module that is put off is there for whoever imports
it, with the vendor's own code, and the first look into it runs that. Nothing is replaced: it works as ever.

Python's own `importlib.util.LazyLoader` runs a module as soon as somebody writes `import module`, because the import
system looks into it. Here what the import system itself looks for is there from the beginning.
"""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_lock = threading.RLock()
_waiting: set[str] = set()
"""The names of those that have not run; under the lock."""


class _Postponed(ModuleType):
    """A module whose code has not run, or is running now."""

    def __getattr__(self, name: str) -> Any:
        """What is not there yet: the module's code is run for it, by the first who looks."""
        with _lock:
            if self.__name__ in _waiting:
                _run(self)
        if type(self) is _Postponed:  # its own code looks for it, before it is there
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} yet")
        return getattr(self, name)


def postpone(*names: str) -> None:
    """Let these modules run only when somebody looks into them; importing one, or a module below it, does not.

    One that has run already is left alone, and one that does not exist to whoever imports it, with the usual error.
    """
    for name in names:
        if name not in sys.modules:
            _postpone(name)


def _postpone(name: str) -> None:
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # a package above it
        return
    if spec is None or spec.loader is None or name in sys.modules:  # the package above it has imported it
        return
    module = module_from_spec(spec)
    module.__class__ = _Postponed
    with _lock:
        _waiting.add(name)
    sys.modules[name] = module
    package, _, child = name.rpartition(".")
    if package:
        setattr(sys.modules[package], child, module)  # where `from package import module` looks first


def _run(module: ModuleType) -> None:
    spec = module.__spec__
    assert spec is not None
    assert spec.loader is not None
    _waiting.discard(module.__name__)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _waiting.add(module.__name__)  # whoever looks next gets the error, too
        raise
    module.__class__ = ModuleType

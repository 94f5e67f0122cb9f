"""Puts off running modules that a vendor's SDK imports and that no request of ours needs, until somebody uses them.

An SDK is one package, and importing any of it imports all of it. The import system has a loader for that: the module is
there with the vendor's own code, and the first look at it runs it. Nothing is replaced; what is put off works as ever.

https://docs.python.org/3/library/importlib.html#importlib.util.LazyLoader
"""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec


def postpone(*names: str) -> None:
    """Let these modules run only when they are used; whoever imports one takes it as `from package import module`.

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
    if spec is None or spec.loader is None:
        return
    loader = spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    loader.exec_module(module)
    package, _, child = name.rpartition(".")
    setattr(sys.modules[package], child, module)  # where `from package import module` looks first

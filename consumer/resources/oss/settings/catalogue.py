"""Every setting of a bucket that this package describes."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from consumer.resources.oss import settings
from consumer.resources.oss.settings.base import Setting


@cache
def catalogue() -> Mapping[str, Setting[Any]]:
    """Every setting by its name; each file of the package holds one, or several that belong together."""
    found: dict[str, Setting[Any]] = {}
    for file in pkgutil.iter_modules(settings.__path__, f"{settings.__name__}."):
        if file.name != __name__:
            here = [value for value in vars(import_module(file.name)).values() if isinstance(value, Setting)]
            found.update((setting.name, setting) for setting in here)
    return dict(sorted(found.items()))


@cache
def named_actions() -> Mapping[str, str]:
    """The RAM action of every request of a setting, by the service's name of the operation."""
    return {request.operation: request.action for setting in catalogue().values() for request in setting.requests}

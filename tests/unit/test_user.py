"""Who makes a change by hand, where the system has no name for them."""

from __future__ import annotations

import getpass
import os

import pytest

from consumer.journal.writer import user


@pytest.mark.parametrize("missing", [KeyError("getpwuid(): uid not found: 65532"), OSError("No username set")])
def test_a_user_without_a_name_goes_by_number(missing: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number; Python 3.13 raises OSError where others raise KeyError."""

    def getuser() -> str:
        raise missing

    monkeypatch.setattr(getpass, "getuser", getuser)
    assert user() == f"uid-{os.getuid()}"

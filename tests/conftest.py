"""What every test gets: no proxies and no credentials of this machine, and the emulator's fixtures."""

from __future__ import annotations

import signal

import pytest

from tests.emulation import emulator, emulator_process, shared_emulator
from tests.ids import ascii_id
from tests.skips import SkipGate

__all__ = ["emulator", "emulator_process", "shared_emulator"]


class CtrlC:
    """Exit status 130, as shells expect, where pytest has one of its own."""

    def __init__(self) -> None:
        self._typed = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Also called for pytest.exit(), which is something else."""
        self._typed = isinstance(excinfo.value, KeyboardInterrupt)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Where the exit status can still be changed."""
        if self._typed:
            session.exitstatus = 128 + signal.SIGINT


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names of cases that a command line can carry; pytest's own escapes are escaped a second time there."""
    return ascii_id(val) if isinstance(val, str | bytes) and "\\" in ascii(val) else None


def pytest_configure(config: pytest.Config) -> None:
    """In CI a skipped test is a failed one."""
    if not hasattr(config, "workerinput"):  # where tests are spread over processes, the one that has them all decides
        config.pluginmanager.register(SkipGate())
        config.pluginmanager.register(CtrlC())


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own environment may decide how a test goes."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

"""Fixtures of the emulator's own tests."""

from tests.emulation import emulator, emulator_process, shared_emulator

__all__ = ["emulator", "emulator_process", "shared_emulator"]

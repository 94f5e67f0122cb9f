"""The operator's commands through the real command line, against the emulator, with the real SDKs."""

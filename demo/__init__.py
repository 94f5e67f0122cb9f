"""The demonstration behind `make demo`: the real worker against the emulator, judged by the emulator's journal."""

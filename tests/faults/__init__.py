"""Real worker processes under faults; the verdict is always the witness's, from the emulator's journal."""

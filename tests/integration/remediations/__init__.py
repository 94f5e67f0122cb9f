"""Every repair against the emulator, with the real SDK over real HTTP: broken, repaired, undone, refused."""

"""The composition root: builds every part from the configuration, starts it, stops it."""

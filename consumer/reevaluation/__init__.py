"""Asks Cloud Config to evaluate again after a fix, and waits for its agreement where that is wanted."""

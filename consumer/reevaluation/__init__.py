"""Requests a new evaluation from Cloud Config after a fix, and waits for its agreement where that is configured."""

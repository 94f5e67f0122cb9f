"""Contests that replicas count together, as empty files in a directory that all of them mount."""

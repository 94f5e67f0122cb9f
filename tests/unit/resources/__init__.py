"""Tests of what may be asked of a resource, and of what the answers mean."""

"""Hostile bodies through decode, match and guard."""

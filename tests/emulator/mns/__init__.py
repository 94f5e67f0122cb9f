"""Tests of the emulated MNS service."""

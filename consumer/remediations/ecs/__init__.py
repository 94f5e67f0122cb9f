"""Repairs of security groups, one file each."""

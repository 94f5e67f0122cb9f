"""Publishes to an MNS topic what people want to know, beside the work: no message ever waits for it."""

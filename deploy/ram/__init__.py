"""RAM policies for the role that the worker runs with, written from a configuration."""

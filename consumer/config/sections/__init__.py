"""The sections of the configuration file, one module per concern."""

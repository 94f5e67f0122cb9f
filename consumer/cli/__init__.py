"""The command line: options and help, one module per command; what a command does stands in `consumer.operator`."""

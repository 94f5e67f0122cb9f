"""The pure parts of the operator's commands."""

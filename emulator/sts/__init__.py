"""STS on the control port: temporary credentials of another account, and whose credentials one has."""

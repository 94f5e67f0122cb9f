"""AssumeRole as STS answers it, on the control port: temporary credentials of another account."""

"""What is told about the flow: metrics, the log, health. Never in the flow: everything here listens through hooks."""

"""What is reported about the flow: metrics, the log, health. Never in the flow: all of it listens to hooks."""

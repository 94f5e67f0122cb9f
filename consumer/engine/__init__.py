"""The way of a message, from the poll to its settlement; it names the queue and the resources only as protocols."""

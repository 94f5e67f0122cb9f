"""What happened to each resource, in a chain of lines whose alteration shows."""

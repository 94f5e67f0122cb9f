"""Security groups of ECS: which ids are possible, what a group looks like, and which of its rules are open."""

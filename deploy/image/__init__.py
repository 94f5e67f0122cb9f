"""The image: what it starts, and the list of what is in it."""

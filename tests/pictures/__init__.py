"""`make pictures`: draws the pictures of the documentation from a run of this code."""

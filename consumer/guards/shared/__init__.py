"""The guards' memory in Redis: limits, breakers and contests of all replicas together.

Every decision is one script, so that it is atomic; every moment is the store's own clock, so that replicas need not
agree about the time. What is out of reach raises `SharedUnreachable`, and the change is held.
"""

"""The control port: faults, clock, journal, state and Cloud Config over JSON."""

"""Pure values that every layer speaks in: messages, events, outcomes, errors, observers' records. No I/O, no clock."""

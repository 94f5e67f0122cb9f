"""The groups of checks that `consumer.operator.check` puts in order; each yields findings and raises nothing."""

"""The groups of checks that `consumer.operator.check.run` puts in order; each yields findings and raises nothing."""

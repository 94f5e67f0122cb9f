"""The single guards: exemptions, limits, breaker and contest; pure, and run in order by `consumer.guards.chain`."""

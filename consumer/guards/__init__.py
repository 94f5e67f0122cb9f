"""The single guards: exemptions, limits, breaker and contest; pure, and asked in order by `consumer.guards.chain`."""

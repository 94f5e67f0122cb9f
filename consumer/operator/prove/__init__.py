"""`check --prove`: the whole way from topic to repaired bucket, shown on a canary that is left as it was found."""

"""OSS: opening buckets, sessions, signatures, settings and documents."""

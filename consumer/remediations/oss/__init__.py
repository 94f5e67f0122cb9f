"""The repairs of OSS buckets, one file each; files that begin with an underscore hold what several share."""

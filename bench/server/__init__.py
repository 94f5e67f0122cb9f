"""The canned server that everything is measured against: one MNS queue and OSS with one ACL per bucket.

One process, one core, no signature verification and no journal: that is what makes it fast, and it is why it is no
replacement for the emulator. What it does have is real: visibility timeouts, receipt handles that are replaced, long
polls, partial batch deletions, and answers in the service's own words.
"""

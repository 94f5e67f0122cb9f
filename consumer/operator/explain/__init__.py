"""`config-remediator explain`: why an event ended as it did, from the journal, and how it would end now."""

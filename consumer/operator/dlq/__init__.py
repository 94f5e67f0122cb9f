"""`config-remediator dlq`: look at dead letters, send them back, drop them."""

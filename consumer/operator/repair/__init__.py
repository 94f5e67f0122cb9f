"""`config-remediator repair`: one resource that a person names, by the worker's own pipeline and guards."""

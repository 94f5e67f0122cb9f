"""`config-remediator undo`: puts back what a journaled change replaced."""

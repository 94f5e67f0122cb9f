"""`config-remediator catch-up`: brings what the evaluator lists and no event came for."""

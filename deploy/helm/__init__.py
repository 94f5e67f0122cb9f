"""The Helm chart, and what keeps it in step with the rest."""

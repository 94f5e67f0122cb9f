"""The Grafana dashboards as code; `python -m deploy.grafana` writes them as the JSON that is committed."""

"""How the service is shipped: image, compose, Kubernetes, RAM, Prometheus, Grafana. Nothing here runs in the worker."""

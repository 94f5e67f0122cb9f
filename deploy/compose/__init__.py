"""The containers of docker-compose.yml that are not the worker: who sets up the queue and who breaks buckets."""

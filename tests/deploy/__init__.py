"""Tests of what is shipped: image, compose, manifests, rules, dashboards, policies."""

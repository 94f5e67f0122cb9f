"""Builds what a release consists of; `make release` runs it. Whoever builds the same commit gets the same bytes."""

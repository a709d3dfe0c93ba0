"""Measures begat and other servers in one run: Benchmarks/README.md explains it."""

"""Benchmarks: apart from the tests, each against a named baseline in the same run. `python -m bench` runs them all."""

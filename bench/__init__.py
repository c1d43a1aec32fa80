"""Benchmarks: speed as ratios within one run, against a peer or a limit, beside its goal."""

"""Evaluation: how good the metrics and encoders are, on pictures whose category is known."""

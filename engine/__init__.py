"""Image search: opening pictures, encoders, metrics, the library and the questions to it."""

"""The ready server: settings, logs, bounds of connections."""

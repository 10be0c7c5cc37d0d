"""The ready-made server: settings, logs, limits of connections."""

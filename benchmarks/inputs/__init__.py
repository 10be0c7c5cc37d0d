"""What is translated: made here, the same on every run. Nothing is recorded or copied."""

"""One small thing per file, both directions of it side by side."""

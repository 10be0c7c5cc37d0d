"""One small thing per file, with both directions side by side."""

"""The commands of `diglot`."""

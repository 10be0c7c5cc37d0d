"""The vocabulary of both formats, independent of any translation."""

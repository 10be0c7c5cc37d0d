"""The vocabulary of both formats; knows nothing about converting."""

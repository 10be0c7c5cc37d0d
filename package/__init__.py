"""OpenAI's two text APIs, each from the other: `diglot.translator` is pure, `diglot.adapters` serves."""

__version__ = "0.1.0"

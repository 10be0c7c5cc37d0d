"""What was said before: the state of the Responses API over an upstream that has none, and stored chat completions."""

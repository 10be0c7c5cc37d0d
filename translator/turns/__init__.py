"""Conversations: items to messages, messages to items (protocol 2.5, 2.6)."""

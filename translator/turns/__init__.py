"""Conversations: items to messages and messages to items (protocol 2.5, 2.6)."""

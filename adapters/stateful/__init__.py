"""What a server keeps between requests: whose it is, how it is sealed, and the endpoints over a store."""

"""Translation under an SDK, without a server: transports for httpx2 and httpx."""

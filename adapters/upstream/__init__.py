"""A remote upstream as an ASGI application: requests go to it over HTTP."""

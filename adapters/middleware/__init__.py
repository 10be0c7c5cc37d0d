"""The ASGI middleware: one translated request, from the client to the application and back."""

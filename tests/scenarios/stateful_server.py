"""A server with a store in a process of its own: `python stateful_server.py PORT UPSTREAM API STORE`."""

import sys

import uvicorn

from diglot.adapters import TranslationMiddleware, Upstream

if __name__ == "__main__":
    port, upstream, api, store = sys.argv[1:]
    app = TranslationMiddleware(Upstream(upstream), upstream_api="chat" if api == "chat" else "responses", store=store)
    uvicorn.run(app, port=int(port), log_level="error", timeout_graceful_shutdown=1)

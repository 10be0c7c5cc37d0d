"""nginx as a proxy that translates nothing and holds nothing back: what a proxy costs that is not written in Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .process import Server, free_port

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    client_max_body_size 64m;
    keepalive_requests 1000000;
    upstream behind {{
        server 127.0.0.1:{upstream};
        keepalive 100;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 3600s;
        }}
    }}
}}
"""


def command() -> str | None:
    """Where it is; systems keep it where not every user looks."""
    places = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which("nginx", path=os.pathsep.join(places))


def server(command: str, upstream: int, folder: Path) -> Server:
    """One process in front of the port *upstream*; its files are in *folder*."""
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(folder=folder, upstream=upstream, port=port))
    return Server("nginx", [command, "-c", str(file), "-p", str(folder)], port)

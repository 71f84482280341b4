"""nginx, as the origin that everybody faces and as the reverse proxy that Seamline is measured against."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import Program, free_port, running

BODY = '{"id":4711,"sku":"tea-assam","title":"Assam tea, 250 g","price":1295,"available":4998,"tags":["tea","black"]}'

COMMON = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {http}
}}
"""
ORIGIN = """
  server {{ listen 127.0.0.1:{port} backlog=1024;
    location / {{ default_type application/json; return 200 '{body}'; }} }}
"""
PROXY = """
  upstream origin {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} backlog=1024;
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
"""


def installed() -> bool:
    """Whether there is an nginx to measure against."""
    return shutil.which("nginx") is not None


@contextmanager
def origin(folder: Path) -> Iterator[tuple[int, Program]]:
    """A server with one small JSON answer; its port and program."""
    port = free_port()
    with _nginx("origin", ORIGIN.format(port=port, body=BODY), port, folder) as program:
        yield port, program


@contextmanager
def proxy(upstream: int, folder: Path) -> Iterator[tuple[int, Program]]:
    """A reverse proxy in front of `upstream`; its port and program."""
    port = free_port()
    with _nginx("proxy", PROXY.format(port=port, upstream=upstream), port, folder) as program:
        yield port, program


@contextmanager
def _nginx(name: str, http: str, port: int, folder: Path) -> Iterator[Program]:
    config = folder / f"{name}.conf"
    config.write_text(COMMON.format(folder=folder, name=name, http=http), encoding="utf-8")
    binary = shutil.which("nginx")
    assert binary is not None
    with running([binary, "-c", str(config), "-e", str(folder / f"{name}.log")], port, folder, name) as program:
        yield program

"""Logging: one JSON object a line on standard error, secrets masked on the way out. Standard output is for answers.

Start at `configure`.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog
import structlog.tracebacks

from sitelink.redact import redact


def _redacted(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value, key) for key, value in event.items()}


def _line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    try:
        return _encode(event)
    except (UnicodeEncodeError, OverflowError, TypeError):  # half a character, a number beyond 64 bits
        return json.dumps(event, default=str).encode()


_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(level: str) -> None:
    """Set up structlog, and let the libraries' own loggers speak through it from WARNING on."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, _line],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # Half-open sockets and port probes are everyday on a site; server.py counts and words them itself.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)

"""Ids that the server makes: they sort by the time they were made."""

import os
import time
from uuid import UUID


def new_id() -> str:
    """Return a UUID of version 7 (RFC 9562)."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=number & ~(0x3 << 62) | 0x2 << 62))

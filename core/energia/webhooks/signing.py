"""Secrets and signatures, as Standard Webhooks 1.0.0 has them (symmetric: HMAC-SHA256).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

from energia.time import Instant

_PREFIX: Final = "whsec_"
#: Bytes of a secret: 24 to 64.
_BYTES: Final = 32


def new_secret() -> str:
    """Return a secret that nobody can guess: `whsec_` and base64."""
    return _PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(secret: str, event: str, at: Instant, body: bytes) -> str:
    """Return what one secret says of a body, of the id of its event and of when it is sent."""
    key = b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.new(key, f"{event}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}"


def signed(keys: Iterable[str], event: str, at: Instant, body: bytes) -> dict[str, str]:
    """Return the headers that vouch for a body: a signature by each secret that is in force."""
    return {
        "webhook-id": event,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(key, event, at, body) for key in keys),
    }

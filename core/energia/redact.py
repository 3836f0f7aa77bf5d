"""Takes passwords out of texts that are shown: settings, errors of drivers, results of probes.

What a driver or an operating system says often quotes what it was given, and that may be a URL
with a password in it. Whatever leaves the process as text goes through `redacted`.
"""

import re
from typing import Final

#: What stands for a secret.
MASK: Final = "***"

# `postgresql://user:password@host`: a password may hold an @, a slash or a space that should have
# been percent-encoded, so everything up to the last @ of the line is taken for it. Showing too
# little is the safe side.
_IN_URL: Final = re.compile(r"(://[^\s:/?#@]*):.*@")
# A user alone is no secret of a database, but over HTTP it is how a token is passed.
_TOKEN: Final = re.compile(r"(https?://)[^\s:/?#@]+@", re.IGNORECASE)
# `password=x`, as libpq writes it in a string of settings, in a URL's query or quoted with its
# escapes (an open quote hides the rest); `sslpassword` ends in the same word.
_SETTING: Final = re.compile(
    r"""(password\s*=\s*)('(?:\\.|[^'])*'?|"(?:\\.|[^"])*"?|[^\s&]*)""", re.IGNORECASE
)
# A parameter of a URL whose name says that it is a secret.
_PARAMETER: Final = re.compile(
    r"([?&][^=&#\s]*(?:token|key|secret|sig|auth|pass|pwd|credential)[^=&#\s]*=)[^&#\s\"'<>]+",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """Return *text* with `***` in place of each password that it quotes.

    Example:
        >>> redacted("no answer from postgresql://energia:hunter2@db/energia")
        'no answer from postgresql://energia:***@db/energia'

    """
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    text = _TOKEN.sub(rf"\1{MASK}@", text)
    text = _PARAMETER.sub(rf"\1{MASK}", text)
    return _SETTING.sub(rf"\1{MASK}", text)

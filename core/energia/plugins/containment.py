"""Calls plugins so that what they print is no output of ours, and `sys.exit` does not end us."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from energia.errors import PluginError, exits

_OUTPUT: Final = 1
#: So much is told of what a plugin writes past `sys.stdout`, in bytes.
_MOST: Final = 10_000


@contextmanager
def contained(plugin: str, failed: str) -> Iterator[None]:
    """Call a plugin; what it prints is told on the standard error stream, after its name.

    Raises:
        PluginError: It fails in whatever way; *failed* begins the message.

    """
    try:
        with heard(plugin):
            yield
    except PluginError:
        raise
    except SystemExit as error:
        raise PluginError(f"{failed}: {exits(error)}") from error
    except Exception as error:
        raise PluginError(f"{failed}: {type(error).__name__}: {error}") from error


@contextmanager
def heard(plugin: str | None = None) -> Iterator[None]:
    """Tell, line by line, what a plugin prints, and what programs print that it starts.

    Without a name it is one of those that are called, such as the charges of a tariff.
    """
    voice = Voice(plugin)
    with redirect_stdout(voice), _descriptor(voice):
        yield
    voice.end()


class Voice(io.TextIOBase):
    """Stands for the standard output stream while a plugin is called.

    A plugin may keep it, as a handler of its log does: what is written later is told as well.
    """

    def __init__(self, plugin: str | None) -> None:
        """Tell what is written as that of *plugin*."""
        self._plugin, self._line = plugin, ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream on which it is told."""
        return sys.stderr.encoding

    @property
    def buffer(self) -> IO[bytes]:
        """What takes bytes: nobody's name is before them."""
        return sys.stderr.buffer

    def fileno(self) -> int:
        """Return the descriptor of the stream on which it is told."""
        return sys.stderr.fileno()

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Tell each line that is complete."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            _tell(self._plugin, line)
        return len(text)

    def end(self) -> None:
        """Tell a line that was not ended."""
        if self._line:
            self.write("\n")


def _tell(plugin: str | None, line: str) -> None:
    structlog = sys.modules.get("structlog")  # a service has it, and its log has no other lines
    if structlog is not None and structlog.is_configured():
        # A log that goes to the standard output would tell its own lines, and those again.
        with redirect_stdout(sys.stderr):
            structlog.get_logger(__name__).warning("plugin_printed", plugin=plugin, text=line)
    else:
        who = "a plugin" if plugin is None else f"plugin {plugin!r}"
        print(f"energia: {who} prints: {line}", file=sys.stderr)


@contextmanager
def _descriptor(voice: Voice) -> Iterator[None]:
    """Collect what is written to the descriptor itself, by libraries in C and other programs."""
    try:
        collected, kept = _collected(), os.dup(_OUTPUT)
    except OSError:  # there is no folder for temporary files, or the stream is closed
        yield
        return
    try:
        os.dup2(collected, _OUTPUT)
        yield
    finally:
        os.dup2(kept, _OUTPUT)
        os.close(kept)
        if os.lseek(collected, 0, os.SEEK_CUR):
            voice.write(os.pread(collected, _MOST, 0).decode(errors="replace"))
            os.lseek(collected, 0, os.SEEK_SET)
            os.ftruncate(collected, 0)


@lru_cache(maxsize=1)
def _collected() -> int:
    """Return the descriptor of a file without a name: made once, as there are hundreds of calls."""
    descriptor, path = tempfile.mkstemp()
    Path(path).unlink()
    return descriptor

"""What keeps the databases of previews apart."""

from energia.errors import EnergiaError


class NotOurs(EnergiaError):
    """The database has no comment of ours, and is left alone."""

    code = "not_a_preview"


class ReaperBusy(EnergiaError):
    """Another process is dropping databases of previews."""

    code = "reaper_busy"

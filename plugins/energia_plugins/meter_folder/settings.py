"""`[plugins.meter-folder]`: folders, and the format of the files in each."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia import Fault, Id, Rules, SecretStr, enforce


def _store_can_be_reached(path: str) -> Iterator[Fault]:
    if "://" in path and find_spec("fsspec") is None:
        yield Fault("missing_extra", "a URL needs fsspec: pip install 'energia[files]'", "/path")


@attrs.frozen(kw_only=True)
class Folder:
    """A folder in which files are dropped.

    Attributes:
        path: A folder of this machine, or a URL of fsspec, such as `s3://bucket/drop`.
        storage: What the store of a URL needs, such as `key`, `secret` and `endpoint_url`.
        pattern: Which names are taken, with `*` and `?`.
        format: The format of the files: a name of `GET /v1/formats`.
        options: The options of the format, and `meter`, `channel` and `mapping`.
        period: How often to look, in seconds; a file is taken when it stayed as it was in between.

    """

    __rules__: ClassVar[Rules] = (_store_can_be_reached,)

    path: Annotated[str, Meta(min_length=1, max_length=2000)]
    storage: dict[str, SecretStr] = attrs.field(factory=dict)
    pattern: Annotated[str, Meta(min_length=1, max_length=200)] = "*"
    format: Annotated[str, Meta(min_length=1, max_length=64)]
    options: dict[str, str] = attrs.field(factory=dict)
    period: Annotated[float, Meta(ge=1)] = 60.0

    def __attrs_post_init__(self) -> None:
        """Refuse a URL that nothing here can reach."""
        enforce(self)


@attrs.frozen(kw_only=True)
class Settings:
    """Which folders are looked into.

    Attributes:
        organization: The key of the organization that the meters are of.
        folders: The folders, by names of your own; each is a source, `folder-<name>`.

    """

    organization: Annotated[int, Meta(ge=1)] = 1
    folders: dict[Id, Folder] = attrs.field(factory=dict)

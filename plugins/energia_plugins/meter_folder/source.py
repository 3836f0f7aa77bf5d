"""The source: files that appear in a folder, each stored once for each of its versions."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from hashlib import sha256
from typing import TypeVar

from energia import Emit, Invalid, Malformed, Problem, SourceFailed
from energia_plugins.meter_folder.settings import Folder
from energia_plugins.meter_folder.stores import LocalStore, RemoteStore, Store

T = TypeVar("T")


class FolderSource:
    """The files of one folder."""

    def __init__(self, name: str, folder: Folder, organization: int = 1) -> None:
        self.name = f"folder-{name}"
        self.organization = organization
        self._folder = folder
        # A file that was refused is read again when it is to be read otherwise.
        read_as = repr((folder.format, sorted(folder.options.items())))
        self._read_as = sha256(read_as.encode()).hexdigest()[:12]

    async def run(self, emit: Emit) -> None:
        """Look into the folder again and again."""
        store = await _blocking(self._store)
        before: Mapping[str, str] = {}
        while True:
            now = await _blocking(partial(self._versions, store))
            emit.connected()
            still = (name for name in sorted(now) if before.get(name) == now[name])
            for name in still:
                if emit.state.get(name) != now[name]:
                    await self._take(emit, store, name, now[name])
            await _forget(emit, now)
            before = now
            await asyncio.sleep(self._folder.period)

    def _store(self) -> Store:
        path = self._folder.path
        if "://" not in path:
            return LocalStore(path)
        storage = {name: text.get_secret_value() for name, text in self._folder.storage.items()}
        return RemoteStore(path, storage)

    def _versions(self, store: Store) -> Mapping[str, str]:
        """Return the versions of the files that are taken, with how they are read."""
        return {
            name: f"{version} {self._read_as}"
            for name, version in store.versions().items()
            if fnmatchcase(name, self._folder.pattern) and "\0" not in name
        }

    async def _take(self, emit: Emit, store: Store, name: str, version: str) -> None:
        """Store a file; one that cannot be read is told, and does not hold up the others."""
        state = {name: version}
        try:
            blocks = store.blocks(name)
            await emit.file(blocks, self._folder.format, self._folder.options, state)
        except (Malformed, Invalid) as error:
            await emit([Problem(1, error.code, f"{name}: {error.detail}")], state=state)
        except FileNotFoundError:
            return  # it was taken away meanwhile
        except OSError as error:
            raise SourceFailed(f"{name} cannot be read: {error}") from error


async def _blocking(work: Callable[[], T]) -> T:
    """Return what *work* returns, from a thread; stores fail in ways of their own."""
    try:
        return await asyncio.to_thread(work)
    except Exception as error:
        raise SourceFailed(f"the folder cannot be read: {error}") from error


async def _forget(emit: Emit, names: Iterable[str]) -> None:
    """Forget files that are gone: one of the same name is another one."""
    gone = set(emit.state) - set(names)
    if gone:
        await emit.save(dict.fromkeys(gone))

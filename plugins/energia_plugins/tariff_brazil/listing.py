"""What `energia brasil tabelas` prints."""

from collections.abc import Iterator

from energia_plugins.tariff_brazil.inventory import FileNews, content
from energia_plugins.tariff_brazil.portuguese import day_text
from energia_plugins.tariff_brazil.table_files import Folder, names
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["news_lines", "table_lines"]

#: How many changed rows are shown.
_SHOWN = 20


def table_lines(folder: Folder, known: Tables) -> Iterator[str]:
    """Yield a line for each table: its name, rows, newest day, and where it is from."""
    for name in names():
        file = folder.file(name)
        found = content(file, known)
        newest = f"até {day_text(found.newest)}" if found.newest else "sem datas"
        origin = "desta versão do Energia" if file.origin == "energia" else file.origin
        yield f"{name:18}{found.rows:>8} linhas  {newest:15}  {origin}"


def news_lines(found: FileNews) -> Iterator[str]:
    """Yield what a file has that the tables in use have not."""
    newest = f", a mais nova de {day_text(found.newest)}" if found.newest else ""
    yield f"{found.name}: {found.rows} linhas{newest}"
    yield f"novas: {sum(found.added.values())}"
    for who, count in found.added.items():
        yield f"  {who}: {count}"
    yield f"mudadas: {len(found.changed)}"
    for what, before, after in found.changed[:_SHOWN]:
        yield f"  {what}: {before} -> {after}"
    if len(found.changed) > _SHOWN:
        yield f"  e mais {len(found.changed) - _SHOWN}"
    if found.unknown:
        yield f"agentes desconhecidos, que não são usados: {', '.join(found.unknown)}"
    if not found.added and not found.changed:
        yield "nada de novo"

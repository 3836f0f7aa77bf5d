"""Indexes that `create index concurrently` left invalid: kept up to date, and of no use."""

import re
from collections.abc import Iterable

#: The names of the invalid indexes of the schema that new tables go to.
INVALID = """select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relnamespace = current_schema()::regnamespace order by 1"""


def named(sql: str, indexes: Iterable[str]) -> list[str]:
    """Return those of *indexes* that the text names: others are somebody else's business."""
    words = set(re.findall(r"\w+", sql))
    return [index for index in indexes if index in words]


def dropping(index: str) -> str:
    """Return the statement that drops an index without keeping anybody waiting."""
    return 'drop index concurrently if exists "{}"'.format(index.replace('"', '""'))

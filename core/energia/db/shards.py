"""Which shard the rows of a channel are in, where Citus spreads the tables of readings over nodes.

On one PostgreSQL, a statement about many channels joins its tables to an array of them
(`unnest`), and is planned and run once. Citus cannot tell what such a join will find: it would ask
every shard on every node. What it can tell is a condition with constants: a statement that says of
each of its tables that `channel_id` is one of some channels, all of one shard, goes to that shard
as it is. So where the tables are distributed, the same statement is sent once for each shard that
its channels are in, with that condition in it. The rules of a statement are written once.

Which shard that is, is an optimisation: a statement that is sent for channels of several shards
gives the same answer, or is refused.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.time import Int64

_Bits = npt.NDArray[np.uint32]
#: How a table of readings is joined to what is asked of channels.
_JOIN: Final = re.compile(r"\b(\w+\.)?channel_id = \w+\.channel\b")
_CLOCK: Final = "clock_timestamp()"
#: The version of a block, as its node numbers transactions.
_VERSION: Final = "d.xmin"

#: Whether the server knows Citus at all.
KNOWN: Final = "exists (select from pg_extension where extname = 'citus')"
#: The lowest hash of each shard of the blocks, in order; none where they are not distributed.
LOWEST: Final = """select shardminvalue::int from pg_dist_shard
where logicalrelid = to_regclass('reading_day') and shardminvalue is not null order by 1"""


@attrs.frozen
class Shards:
    """The shards of the tables of readings.

    Attributes:
        lowest: The lowest hash of each, ascending; none where all rows are in one server.

    """

    lowest: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether the tables are distributed."""
        return bool(self.lowest)

    def parts(self, channels: Sequence[int] | Int64) -> list[list[int]]:
        """Return the indexes of those of *channels* that are in the same shard, shard by shard.

        There is at least one part: of no channel, a statement gives what it gives without any.
        """
        hashes = hashed(np.asarray(channels, np.int64))
        shards = np.searchsorted(np.array(self.lowest, np.int64), hashes, side="right")
        return [np.flatnonzero(shards == shard).tolist() for shard in np.unique(shards)] or [[]]


def hashed(keys: Int64) -> Int64:
    """Return what PostgreSQL's `hashint8` gives for each of *keys*, by which Citus distributes.

    Bob Jenkins' final mix (`hash_bytes_uint32`) of both halves, xored.
    """
    high = (keys >> 32) ^ (keys >> 63)
    start = np.uint32(0x9E3779B9 + 4 + 3923095)
    a: _Bits = (keys ^ high).astype(np.uint32) + start
    b, c = np.full_like(a, start), np.full_like(a, start)
    c = (c ^ b) - _rotated(b, 14)
    a = (a ^ c) - _rotated(c, 11)
    b = (b ^ a) - _rotated(a, 25)
    c = (c ^ b) - _rotated(b, 16)
    a = (a ^ c) - _rotated(c, 4)
    b = (b ^ a) - _rotated(a, 14)
    c = (c ^ b) - _rotated(b, 24)
    mixed: Int64 = c.astype(np.int32).astype(np.int64)
    return mixed


def _rotated(bits: _Bits, by: int) -> _Bits:
    return (bits << np.uint32(by)) | (bits >> np.uint32(32 - by))


@lru_cache(maxsize=256)
def of_one_shard(sql: str) -> str:
    """Return a statement about many channels as one about those in `%(shard)s`, of one shard.

    What time it is (`%(clock)s`) is said as well: nodes have clocks of their own, and a revision
    is later than the one before it. They have versions of their own, too, which say nothing where a
    shard may go from one to the other.
    """
    routed = _JOIN.sub(
        lambda join: f"{join[0]} and {join[1] or ''}channel_id = any(%(shard)s::bigint[])", sql
    )
    return routed.replace(_CLOCK, "%(clock)s::timestamptz").replace(_VERSION, "null::xid")


def tells_time(sql: str) -> bool:
    """Tell whether a statement asks what time it is."""
    return _CLOCK in sql

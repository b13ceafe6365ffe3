"""The lot of a record: a number below 10,000 that depends on a seed and the record's key, and on nothing else."""

import struct
from collections.abc import Iterable
from hashlib import blake2b

from pyroaring import BitMap

from ..models.divisions import WHOLE

# One hash gives the lots of 16 neighbouring keys: a million records take under a second.
_PER_HASH = 16
_unpack = struct.Struct(">16I").unpack


def _lots(secret: bytes, block: int) -> tuple[int, ...]:
    return _unpack(blake2b(block.to_bytes(8, "big"), key=secret, digest_size=64).digest())


def _secret(seed: str, member_type: str) -> bytes:
    return blake2b(f"{member_type}:{seed}".encode(), digest_size=32).digest()


def lot_of(seed: str, member_type: str, key: int) -> int:
    """Return the record's lot, 0 to 9,999."""
    return _lots(_secret(seed, member_type), key // _PER_HASH)[key % _PER_HASH] % WHOLE


def drawn(seed: str, member_type: str, keys: Iterable[int], start: int, end: int) -> BitMap:
    """Return those of the keys whose lot lies in [start, end); keys in ascending order are the fastest."""
    secret, block, found = _secret(seed, member_type), -1, []
    lots: tuple[int, ...] = ()
    for key in keys:
        if key // _PER_HASH != block:
            block = key // _PER_HASH
            lots = _lots(secret, block)
        if start <= lots[key % _PER_HASH] % WHOLE < end:
            found.append(key)
    return BitMap(found)

"""Find a file's encoding by reading all of it once; never guess where bytes contradict."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from .limits import MAX_FILE_BYTES, MAX_RATIO, MAX_UNPACKED_BYTES
from .problems import FileRefused

_CHUNK = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_C1 = re.compile(rb"[\x80-\x9f]")
_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes become text: codec name, length of the byte-order mark."""

    name: str
    bom_bytes: int = 0
    has_c1_bytes: bool = False


def open_bytes(path: Path) -> IO[bytes]:
    """Open the file for reading, unpacking gzip as it goes."""
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if packed else path.open("rb")


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the unpacked bytes; refuse what is too large, packed too tightly or broken.

    Raises FileRefused.
    """
    packed_size = path.stat().st_size
    if packed_size > MAX_FILE_BYTES:
        raise FileRefused(f"The file is larger than {MAX_FILE_BYTES // 2**20} MiB.", code="too_large")
    total = 0
    try:
        with open_bytes(path) as stream:
            while block := stream.read(_CHUNK):
                total += len(block)
                if total > MAX_UNPACKED_BYTES or (total > 64 * _CHUNK and total > MAX_RATIO * packed_size):
                    raise FileRefused("The packed file unpacks to far more than its size allows.", code="archive_bomb")
                yield block
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise FileRefused(
            "The packed file (.gz) is damaged or cut off; pack it again.", code="damaged_archive"
        ) from None


def detect_encoding(path: Path) -> Encoding:
    """Return the encoding of a text file (one pass over the file, flat memory).

    A byte-order mark decides; else UTF-8 where every byte fits; else UTF-16 by its zero bytes; else Windows-1252
    or Latin-1. Raises FileRefused, with line and byte, for bytes that fit nothing or mix two encodings.
    """
    with open_bytes(path) as stream:
        head = stream.read(4096)
    for bom, name in _BOMS:
        if head.startswith(bom):
            _check_decodes(path, name, len(bom))
            return Encoding(name, len(bom))
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 4 and max(even, odd) > len(head) // 5:
        name = "utf-16-le" if odd > even else "utf-16-be"
        _check_decodes(path, name, 0)
        return Encoding(name)
    return _utf8_or_single_byte(path)


def check_encoding(path: Path, name: str) -> Encoding:
    """Return the encoding the user named, checked against the whole file.

    Raises FileRefused for an unknown name or bytes that do not fit.
    """
    try:
        canonical = codecs.lookup(name).name
    except LookupError:
        raise FileRefused(f"Unknown encoding {name!r}; use for example utf-8 or cp1252.") from None
    with open_bytes(path) as stream:
        head = stream.read(4)
    bom = next((b for b, n in _BOMS if head.startswith(b) and n.startswith(canonical[:6])), b"")
    if canonical in ("utf-16", "utf-32"):
        canonical = next((n for b, n in _BOMS if b == bom), f"{canonical}-le")
    _check_decodes(path, canonical, len(bom))
    return Encoding(canonical.replace("iso8859-1", "latin-1").replace("utf-8-sig", "utf-8"), len(bom))


def open_text(path: Path, encoding: Encoding) -> io.TextIOWrapper:
    """Open the file as text with its line ends untouched."""
    stream = open_bytes(path)
    stream.read(encoding.bom_bytes)
    return io.TextIOWrapper(io.BufferedReader(cast(io.RawIOBase, stream)), encoding=encoding.name, newline="")


def _check_decodes(path: Path, name: str, bom_bytes: int) -> None:
    problem = _first_problem(path, name, bom_bytes)
    if problem:
        line, offset, byte = problem
        raise FileRefused(
            f"Line {line}, byte {offset} (0x{byte:02x}) is not {name}. Save the file as UTF-8, or name its encoding.",
            code="undecodable",
            line=line,
        )


def _first_problem(path: Path, name: str, bom_bytes: int) -> tuple[int, int, int] | None:
    """Return (line, byte offset, byte) of the first byte that does not decode, or None."""
    decoder = codecs.getincrementaldecoder(name)()
    newline = "\n".encode(name)
    line, offset, pending, skip = 1, bom_bytes, 0, bom_bytes
    block = b""
    for raw in chunks(path):
        block = raw[skip:]
        skip = 0
        try:
            pending_bytes = decoder.getstate()[0]
            decoder.decode(block)
        except UnicodeDecodeError as error:
            joined = pending_bytes + block
            bad = error.start
            return line + joined[:bad].count(newline), offset - len(pending_bytes) + bad, joined[bad]
        line += block.count(newline)
        offset += len(block)
    try:
        pending = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line, offset - pending, block[-1] if block else 0
    return None


def _utf8_or_single_byte(path: Path) -> Encoding:
    problem = _first_problem(path, "utf-8", 0)
    if problem is None:
        return Encoding("utf-8")
    sequences = in_sequences = high = 0
    has_c1 = False
    undefined: tuple[int, int, int] | None = None
    line, offset = 1, 0
    for block in chunks(path):
        found = _UTF8_SEQUENCE.findall(block)
        sequences += len(found)
        in_sequences += sum(map(len, found))
        high += len(_HIGH.findall(block))
        has_c1 = has_c1 or bool(_C1.search(block))
        bad = _NOT_CP1252.search(block) if undefined is None else None
        if bad:
            undefined = line + block[: bad.start()].count(b"\n"), offset + bad.start(), block[bad.start()]
        line += block.count(b"\n")
        offset += len(block)
    line, offset, byte = problem
    if sequences and sequences * 10 >= high - in_sequences:
        raise FileRefused(
            f"The file mixes UTF-8 with another encoding: line {line}, byte {offset} (0x{byte:02x}) is not UTF-8. "
            "Save it whole as UTF-8, or name its encoding.",
            code="undecodable",
            line=line,
        )
    if undefined:
        raise FileRefused(
            f"Line {undefined[0]}, byte {undefined[1]} (0x{undefined[2]:02x}) is neither UTF-8 nor Windows-1252. "
            "Save the file as UTF-8, or name its encoding.",
            code="undecodable",
            line=undefined[0],
        )
    return Encoding("cp1252" if has_c1 else "latin-1", has_c1_bytes=has_c1)


TextOpener = Callable[[], io.TextIOWrapper]

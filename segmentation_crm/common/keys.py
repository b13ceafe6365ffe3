"""Keys of records as addresses and forms write them."""

LONGEST = 18  # digits that fit a 64-bit key on either database, whatever they are


def key_of(text: str | None) -> int | None:
    """Return the key that a text writes in plain digits, None for any other text (0 queries)."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= LONGEST else None


def keys_of(texts: list[str]) -> list[int]:
    """Return the keys among the texts, in order; what is none is passed over (0 queries)."""
    return [key for key in map(key_of, texts) if key is not None]

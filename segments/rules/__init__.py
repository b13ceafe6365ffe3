"""The rule language: nodes, validation, compiler, sentence, bitmaps."""

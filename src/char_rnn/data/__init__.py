"""Text in, ids out: vocabularies, sources of text, the corpus, and windows of (T, B) ids."""

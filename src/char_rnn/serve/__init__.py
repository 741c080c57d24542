"""Models over HTTP: OpenAI's completions and more, for many clients at once (docs/serving.md)."""

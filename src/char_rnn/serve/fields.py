"""What the bodies of requests may hold: one table each, for the check and for the document."""

from typing import Any

from char_rnn.data.builtin import BUILTIN
from char_rnn.serve.schema import Schema, array, flag, number, one_of, record, text, whole

MOST_TEXT = 100_000  # characters of a prompt, and to write
MOST_PROMPTS = 64
MOST_CHOICES = 64
MOST_LOGPROBS = 20
MOST_STOPS, MOST_STOP = 16, 1000
MOST_PATTERN = 500
MOST_EFFORT = 100_000
MOST_ID = 2**31 - 1
_WORDS = array(text(200, 1), 50)


def _about(schema: Schema, about: str, default: Any = None) -> Schema:
    """Return the schema of a field, with what it is for; null is the same as not given."""
    more = {"description": about} | ({} if default is None else {"default": default})
    kinds = schema.pop("anyOf", None) or [schema]
    rest = {name: value for name, value in schema.items() if name.startswith("x-")}
    return {"anyOf": [*kinds, {"type": "null"}], **rest, **more}


def _refused(why: str, unless: Any = None) -> Schema:
    """Return the schema of a field of OpenAI's that is refused, but for a value that asks nothing.

    Its null is as if it were not there.
    """
    kept = {"refused": why} | ({} if unless is None else {"unless": unless})
    harmless = [{"type": "null"}, *([] if unless is None else [{"const": unless}])]
    return {"description": f"Refused: {why}.", "anyOf": harmless, "x-char-rnn": kept}


_IDS = array(whole(0, MOST_ID), MOST_TEXT, 1)

MODEL = {"type": "string", "minLength": 1, "maxLength": 200, "description": "Its name."}

COMPLETION = record(
    {
        "model": MODEL,
        "prompt": _about(
            one_of(
                text(MOST_TEXT),
                array(text(MOST_TEXT), MOST_PROMPTS, 1),
                _IDS,
                array(_IDS, MOST_PROMPTS, 1),
            ),
            "The text to go on from, or its ids, or several of them; an id is a character's "
            "(byte's) place in the vocabulary. An empty one begins as the model's texts do.",
            "",
        ),
        "max_tokens": _about(whole(0, MOST_TEXT), "Characters (bytes) to write at most.", 16),
        "temperature": _about(number(0, 100), "0 always takes the likeliest.", 1),
        "top_p": _about(number(0, 1), "Only the likeliest that together are so probable.", 1),
        "n": _about(whole(1, MOST_CHOICES), "Texts for each prompt.", 1),
        "best_of": _about(
            whole(1, MOST_CHOICES),
            "Texts that are written, of which the n with the highest mean log-probability a "
            "character are answered; not with stream.",
        ),
        "stream": _about(flag(), "Send the text as it is written, as server-sent events.", False),
        "stream_options": _about(
            record({"include_usage": flag(), "include_obfuscation": flag()}),
            "include_usage: a last event with the usage. include_obfuscation: only false.",
        ),
        "stop": _about(
            one_of(text(MOST_STOP, 1), array(text(MOST_STOP, 1), MOST_STOPS)),
            "End before this text, or any of several.",
        ),
        "seed": _about(
            whole(-(2**63), 2**63 - 1), "The same seed gives the same text, to the bit."
        ),
        "logprobs": _about(
            whole(0, MOST_LOGPROBS), "Tell log-probabilities, also of so many likeliest ones."
        ),
        "echo": _about(flag(), "Answer the prompt, too.", False),
        "logit_bias": _about(
            {"type": "object", "additionalProperties": number(-100, 100), "maxProperties": 1024},
            "Nats that favour ids, whose names are numbers: {'12': -100}.",
        ),
        "presence_penalty": _about(
            number(-2, 2), "Nats that a character loses once it was written.", 0
        ),
        "frequency_penalty": _about(
            number(-2, 2), "Nats that a character loses each time it was written.", 0
        ),
        "user": _about(text(1000), "Taken and not used: it asks for nothing."),
        "suffix": _refused("a network that reads forwards cannot see what comes after", ""),
        # Our own.
        "top_k": _about(whole(0, MOST_ID), "Only so many likeliest, 0 for all.", 0),
        "min_p": _about(number(0, 1), "Only those so many times as likely as the likeliest.", 0),
        "typical": _about(number(0, 1), "Only the most typical that together are so probable.", 1),
        "repetition_penalty": _about(
            number(0.01, 100), "Above 1: makes what was written lately less likely.", 1
        ),
        "repetition_window": _about(
            whole(1, 10_000), "How many of the last characters that penalty looks at.", 64
        ),
        "forbid": _about(text(10_000), "Never write any of these characters."),
        "lines": _about(whole(0, MOST_TEXT), "End after so many lines, 0 for no limit.", 0),
        "until_line_end": _about(flag(), "Go on past max_tokens to the end of the line.", False),
        "schedule": _about(
            text(1000, 1), "A temperature that moves, such as 2.0:0.5, instead of temperature."
        ),
        "regex": _about(text(MOST_PATTERN), "The text matches this regular expression."),
        "words": _about(_WORDS, "These words occur in the text."),
        "close": _about(flag(), "Brackets and double quotes match and close.", False),
        "max_copy": _about(
            whole(0, 10_000), "No run of so many characters stands in the training text.", 0
        ),
        "code": _about(
            {"type": "string", "enum": ["python"]}, "Every statement that comes out parses."
        ),
        "effort": _about(
            whole(0, MOST_EFFORT), "Characters that may be taken back to meet conditions.", 20_000
        ),
    },
    required=("model",),
)
"""POST /v1/completions."""

_TEXT = text(MOST_TEXT, 1, description="What the model reads.")

_MODEL_OR_ID = {
    "model": _about(MODEL, "Its name; not beside an id."),
    "id": _about(text(64, 1), "What an earlier answer gave, to go on from there."),
}

SCORE = record({**_MODEL_OR_ID, "text": _TEXT}, required=("text",))
"""POST /v1/score."""

BASELINES = record({"model": MODEL, "text": _TEXT}, required=("model", "text"))
"""POST /v1/baselines."""

STATES = record(
    {
        **_MODEL_OR_ID,
        "text": _TEXT,
        "layer": _about(whole(0, 1000), "From 0, the lowest.", 0),
        "of": _about(text(100, 1), "h, for an LSTM c, or the name of a gate.", "h"),
        "unit": _about(whole(0, MOST_ID), "Only this one, from 0; else all."),
    },
    required=("text",),
)
"""POST /v1/states."""

NEXT = record(
    {
        **_MODEL_OR_ID,
        "text": _about(text(10_000), "What is read now.", ""),
        "top": _about(whole(1, 100), "How many candidates are told.", 10),
    }
)
"""POST /v1/next."""

MOST_TUNES = 20_000
ROLL = record(
    {
        "model": _about(MODEL, "Whose text it is; it changes nothing."),
        "text": text(MOST_TUNES, 1, description="Pieces of music, as music models write them."),
    },
    required=("text",),
)
"""POST /v1/roll."""

LAB = record(
    {
        "model": _about(MODEL, "Its name, for experiments that take a model."),
        "text": _about(text(2**20, 2), "For those that take a text; or builtin."),
        "builtin": _about({"type": "string", "enum": list(BUILTIN)}, "A text that comes along."),
        "seeds": _about(whole(1, 5), "Over how many seeds it is repeated.", 3),
    }
)
"""POST /v1/lab/NAME."""

NOTHING = record({})
"""Of what needs no more than its path."""

MOST_MINUTES = 24 * 60
TRAINING = record(
    {
        "cell": {"type": "string", "enum": ["rnn", "gru", "lstm"]},
        "hidden_size": whole(1, 2048),
        "layers": whole(1, 8),
        "seq_length": whole(1, 1000),
        "batch_size": whole(1, 512),
        "learning_rate": number(1e-6, 1),
        "layer_dropout": number(0, 0.9),
        "output_dropout": number(0, 0.9),
        "val_fraction": number(0, 0.5),
        "sample_length": whole(1, 2000),
        "rng_seed": whole(0, MOST_ID),
        "documents": {"type": "string", "enum": ["lines", "blank"]},
        "lowercase": flag(),
        "bytes": flag(),
        "min_count": whole(1, 1000),
    }
)
"""How a network is made and trained."""

RUN = record(
    {
        "name": text(64, 1, description="Of the run's folder, and of the model that comes of it."),
        "text": _about(text(2**24, 2), "What is learned; or builtin."),
        "builtin": _about({"type": "string", "enum": list(BUILTIN)}, "A text that comes along."),
        "minutes": _about(number(0.01, MOST_MINUTES), "How long it is trained.", 2),
        "settings": _about(
            TRAINING, "Settings of char-rnn train; what is not given is planned for the minutes."
        ),
    },
    required=("name",),
)
"""POST /v1/runs."""

RESUME = record(
    {"minutes": _about(number(0.01, MOST_MINUTES), "Of the whole run, from its beginning.")}
)
"""POST /v1/runs/NAME/resume."""

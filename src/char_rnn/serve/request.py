"""What a body asks the writers for: ids, settings, numbers; everything refused is refused here."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary, checked_ids
from char_rnn.errors import CharRNNError
from char_rnn.generate.choose import bias_amounts
from char_rnn.sample_config import SampleConfig
from char_rnn.serve.errors import Refused, refusal
from char_rnn.serve.fields import MOST_TEXT

Array = np.ndarray

SAME = (
    *("top_k", "top_p", "min_p", "typical", "repetition_penalty", "repetition_window", "forbid"),
    *("lines", "until_line_end", "regex", "close", "max_copy", "code", "effort"),
)
"""Fields that are settings of SampleConfig by the same name."""
USUAL_TOKENS = 16
OF_ENGINE = ("logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "best_of")


@dataclass(frozen=True)
class Prompt:
    """One prompt. ids: (n,), as it was given; begun: (m,), with what a text begins with.

    text: as it is read.
    """

    ids: Array
    begun: Array
    text: str


@dataclass(frozen=True)
class Asked:
    """A completion that is wanted, with everything checked."""

    prompts: list[Prompt]
    config: SampleConfig
    amounts: Array | None
    n: int
    best_of: int
    stream: bool
    usage: bool
    echo: bool
    logprobs: int | None
    seed: int | None
    presence: float
    frequency: float


def asked(found: dict[str, Any], vocabulary: AnyVocabulary) -> Asked:
    """Return what the checked fields of a body ask for; raise Refused for what cannot be."""
    n = found.get("n", 1)
    best_of = found.get("best_of", n)
    stream = found.get("stream", False)
    options = found.get("stream_options", {})
    if best_of < n:
        raise Refused(f"best_of is {best_of}; it must be at least n, {n}", param="best_of")
    if stream and best_of > n:
        raise Refused("best_of cannot be streamed: the best is known at the end", param="best_of")
    if options and not stream:
        raise Refused("stream_options is for stream: true", param="stream_options")
    if options.get("include_obfuscation"):
        raise Refused("obfuscation is not supported", param="stream_options.include_obfuscation")
    config = _config(found)
    if config.conditions:
        for name in OF_ENGINE:
            usual = n if name == "best_of" else 0
            if name in found and (name == "logprobs" or found[name] not in (usual, {})):
                raise Refused(
                    f"{name} cannot be had beside conditions ({', '.join(config.conditions)})",
                    param=name,
                )
    return Asked(
        prompts=[_prompt(given, vocabulary) for given in _prompts(found.get("prompt", ""))],
        config=config,
        amounts=_amounts(config, found.get("logit_bias", {}), vocabulary),
        n=n,
        best_of=best_of,
        stream=stream,
        usage=options.get("include_usage", False),
        echo=found.get("echo", False),
        logprobs=found.get("logprobs"),
        seed=None if "seed" not in found else found["seed"] % 2**64,
        presence=found.get("presence_penalty", 0),
        frequency=found.get("frequency_penalty", 0),
    )


def _config(found: dict[str, Any]) -> SampleConfig:
    if "schedule" in found and "temperature" in found:
        raise Refused("schedule and temperature exclude each other", param="schedule")
    stop = found.get("stop", ())
    given = {
        "length": found.get("max_tokens", USUAL_TOKENS),
        "temperature": found.get("schedule", found.get("temperature", 1.0)),
        "stop": (stop,) if isinstance(stop, str) else tuple(stop),
        "words": tuple(found.get("words", ())),
    } | {name: found[name] for name in SAME if name in found}
    for name in ("top_p", "typical"):
        if given.get(name) == 0:  # OpenAI's way of asking for the likeliest
            given[name] = 1e-9
    try:
        return SampleConfig.from_dict(given)
    except CharRNNError as error:
        known = [name for name in given if str(error).startswith(f"{name} ")]
        names = {"length": "max_tokens"}
        param = names.get(known[0], known[0]) if known else None
        if param == "temperature" and "schedule" in found:
            param = "schedule"
        raise refusal(error, param) from error


def _prompts(given: Any) -> list[Any]:
    """Return the prompts of one of the four ways to give them."""
    if isinstance(given, str) or isinstance(given[0], int | float):
        return [given]
    return list(given)


def _prompt(given: Any, vocabulary: AnyVocabulary) -> Prompt:
    try:
        if isinstance(given, str):
            ids, begun = vocabulary.encode(given), vocabulary.beginning(given)
        else:
            ids = checked_ids([int(idx) for idx in given], vocabulary.size)
            begun = ids
            if vocabulary.end is not None and ids[0] != vocabulary.end:
                begun = np.concatenate([[vocabulary.end], ids])
    except CharRNNError as error:
        raise refusal(error, "prompt") from error
    if not len(begun):
        raise Refused(
            "the prompt is empty, and this model has nothing to begin with", 400, "prompt"
        )
    if len(begun) > 4 * MOST_TEXT:
        raise Refused(f"the prompt has {len(begun):,} bytes; that is too many", 400, "prompt")
    return Prompt(ids.astype(np.intp), begun.astype(np.intp), vocabulary.decode(ids))


def _amounts(
    config: SampleConfig, biases: dict[str, float], vocabulary: AnyVocabulary
) -> Array | None:
    """Return the nats (V,) that favour or forbid characters, None for none."""
    try:
        amounts = bias_amounts(config, vocabulary)
    except CharRNNError as error:
        raise refusal(error, "forbid") from error
    if not biases:
        return amounts
    amounts = np.zeros(vocabulary.size) if amounts is None else amounts
    for name, nats in biases.items():
        if not (name.isascii() and name.isdigit() and int(name[:12]) < vocabulary.size):
            raise Refused(
                f"logit_bias names {name[:20]!r}; it must be an id, 0 to {vocabulary.size - 1}",
                param="logit_bias",
            )
        amounts[int(name)] += nats
    if np.isneginf(amounts).all():
        raise Refused("every character is forbidden", param="forbid")
    return amounts


def mean_log_p(total: float, count: int) -> float:
    """Return the mean log-probability of a text, by which the best one is found."""
    return total / count if count else -math.inf

"""POST /v1/completions, field by field."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from serving import Running, a_model

from char_rnn import CharRNN, SampleConfig
from char_rnn.serve.fields import COMPLETION
from char_rnn.serve.request import SAME


def test_one_text(running, small):
    found = running.complete(prompt="the ", max_tokens=40, temperature=0)
    (choice,) = found["choices"]
    assert choice["text"] == small.sample("the ", 40, 0)[4:]
    assert choice["finish_reason"] == "length" and choice["logprobs"] is None
    assert found["usage"] == {"prompt_tokens": 4, "completion_tokens": 40, "total_tokens": 44}
    assert found["object"] == "text_completion" and found["model"] == "small"


def test_usual_settings_are_openais(running):
    assert running.complete(prompt="the ")["usage"]["completion_tokens"] == 16
    one = running.text(prompt="the ", max_tokens=60, seed=1)
    assert one == running.text(prompt="the ", max_tokens=60, seed=1, temperature=1, top_p=1)


def test_prompts_of_every_kind(running, small):
    ids = small.vocabulary.encode("the ").tolist()
    text = running.text(prompt="the ", temperature=0)
    both = running.complete(prompt=["the ", "a "], temperature=0)["choices"]
    assert [choice["index"] for choice in both] == [0, 1] and both[0]["text"] == text
    assert running.text(prompt=ids, temperature=0) == text
    both_ids = [ids, small.vocabulary.encode("a ").tolist()]
    found = running.complete(prompt=both_ids, temperature=0)["choices"]
    assert [choice["text"] for choice in found] == [choice["text"] for choice in both]
    line = running.text(prompt="\n", temperature=0)
    assert running.text(temperature=0) == running.text(prompt="", temperature=0) == line
    assert "prompt" in running.refused(prompt=[small.vocab_size])["param"]
    assert "'ß'" in running.refused(prompt="ß")["message"]
    for wrong in ([], [[]], [True], 7, {"a": 1}):
        assert running.refused(prompt=wrong)["param"] == "prompt"


def test_n_and_seed_alone_and_among_others(running):
    body = {"prompt": "the cat", "max_tokens": 120, "n": 3, "seed": 5, "logprobs": 3}
    alone = running.complete(**body)["choices"]  # its log-probabilities tell every bit
    assert len({choice["text"] for choice in alone}) == 3
    others = [{"prompt": "a" * k, "max_tokens": 150 + k, "seed": k} for k in range(1, 5)]
    others += [{"prompt": "dog", "max_tokens": 100} for _ in range(4)]
    with ThreadPoolExecutor(10) as pool:
        crowd = [pool.submit(running.complete, **other) for other in others]
        mine = [pool.submit(running.complete, **body) for _ in range(2)]
        for one in mine:
            assert one.result()["choices"] == alone
        for one in crowd:
            one.result()
    assert running.complete(**body | {"n": 1})["choices"] == alone[:1]
    assert running.text(**body | {"n": 1, "seed": 6}) != alone[0]["text"]


def test_stream(running):
    body = {"prompt": "the ", "max_tokens": 70, "seed": 3, "n": 2}
    whole = running.complete(**body)
    *events, last, done = running.events(**body, stream_options={"include_usage": True})
    assert done == "[DONE]" and last["choices"] == [] and last["usage"] == whole["usage"]
    assert all(event["usage"] is None for event in events)
    assert len({event["id"] for event in events}) == 1
    texts, reasons = ["", ""], [[], []]
    for event in events:
        (choice,) = event["choices"]
        texts[choice["index"]] += choice["text"]
        reasons[choice["index"]].append(choice["finish_reason"])
    assert texts == [choice["text"] for choice in whole["choices"]]
    assert all(found[-1] == "length" and not any(found[:-1]) for found in reasons)
    assert "usage" not in running.events(**body)[0]
    assert running.refused(stream_options={"include_usage": True})["param"] == "stream_options"


def test_stop(running):
    whole = running.text(prompt="the ", max_tokens=200, seed=1)
    stop = whole[20:23]
    found = running.complete(prompt="the ", max_tokens=200, seed=1, stop=stop)["choices"][0]
    assert found["text"] == whole[: whole.index(stop)] and found["finish_reason"] == "stop"
    events = running.events(prompt="the ", max_tokens=200, seed=1, stop=["§", stop], logprobs=1)
    parts = [event["choices"][0] for event in events[:-1]]
    assert "".join(part["text"] for part in parts) == found["text"]
    told = [token for part in parts for token in part["logprobs"]["tokens"]]
    assert "".join(told) == found["text"]


def test_logprobs_and_echo(running, small):
    body = {"prompt": "the cat", "max_tokens": 9, "seed": 2, "logprobs": 2, "echo": True}
    (choice,) = running.complete(**body)["choices"]
    text, told = choice["text"], choice["logprobs"]
    assert text.startswith("the cat") and len(text) == 16
    assert told["tokens"] == list(text) and told["text_offset"] == list(range(16))
    nats = small.surprisal(text)
    np.testing.assert_allclose(told["token_logprobs"][:7], -nats[:7], atol=1e-6)
    # What comes after is drawn from a state that no line end began.
    ids = small.vocabulary.encode(text)
    logits, _ = small.forward(ids[:-1])
    log_p = logits[:, 0] - np.log(np.exp(logits[:, 0].astype(float)).sum(1, keepdims=True))
    expected = log_p[np.arange(6, 15), ids[7:]]
    np.testing.assert_allclose(told["token_logprobs"][7:], expected, atol=1e-5)
    for token, log_p, top in zip(*[told[k][7:] for k in list(told)[:3]], strict=True):
        assert len(top) == 2 and list(top.values()) == sorted(top.values(), reverse=True)
        assert top.get(token, log_p) == log_p
    assert running.complete(**body | {"logprobs": 0})["choices"][0]["logprobs"][
        "top_logprobs"] is None  # fmt: skip


@pytest.mark.parametrize("name", ["small", "bytes"])
def test_echo_of_nothing_more_is_what_evaluate_says(running, small, name):
    text = "the dog (a good one) ran; 0\n" * 9
    model = small if name == "small" else running.models.get("bytes").model
    body = {"model": name, "prompt": text, "max_tokens": 0, "echo": True, "logprobs": 1}
    found = running.complete(**body)
    (choice,) = found["choices"]
    assert choice["text"] == text and found["usage"]["completion_tokens"] == 0
    log_p = choice["logprobs"]["token_logprobs"]
    assert len(log_p) == len(text)
    assert np.abs(np.array(log_p) + model.surprisal(text)).max() <= 1e-6


def test_the_first_character_that_nothing_predicts(running, tmp_path):
    from char_rnn.serve.models import Models

    a_model(text="abc ").save(tmp_path / "small.safetensors")
    models = Models()
    models.add(tmp_path / "small.safetensors")
    other = Running(models)
    told = other.complete(prompt="cab", max_tokens=0, echo=True, logprobs=0)["choices"][0]
    assert [p is None for p in told["logprobs"]["token_logprobs"]] == [True, False, False]
    assert other.refused(prompt="")["param"] == "prompt"
    other.stop()


def test_bytes(running):
    found = running.complete(
        model="bytes", prompt="ä", max_tokens=40, seed=1, logprobs=0, echo=True
    )["choices"][0]
    told = found["logprobs"]
    assert told["tokens"][:2] == [r"bytes:\xc3", r"bytes:\xa4"] and told["text_offset"][:3] == [
        0, 0, 1]  # fmt: skip
    assert len(told["tokens"]) == 42 and found["text"].startswith("ä")
    assert "\udc80" not in found["text"]


def test_penalties_and_biases(running, small):
    e = int(small.vocabulary.encode("e")[0])
    assert set(running.text(max_tokens=50, logit_bias={str(e): 100})) == {"e"}
    text = running.text(max_tokens=500, seed=1, logit_bias={str(e): -100})
    assert "e" not in text and "e" in running.text(max_tokens=500, seed=1)
    text = running.text(prompt="a", max_tokens=small.vocab_size, temperature=0,
                        presence_penalty=2, logit_bias={str(e): 0})  # fmt: skip
    plain = running.text(prompt="a", max_tokens=small.vocab_size, temperature=0)
    assert len(set(text)) >= len(set(plain)) and text != plain
    varied = running.text(prompt="a", max_tokens=200, temperature=0, frequency_penalty=2)
    assert len(set(varied)) > 0.9 * small.vocab_size
    for wrong in ({"x": 1}, {"99": 1}, {"1": 101}, {"-1": 1}, [1]):
        assert running.refused(logit_bias=wrong)["param"] == "logit_bias"


def test_best_of(running):
    body = {"prompt": "the ", "max_tokens": 30, "seed": 4}
    six = running.complete(**body, n=6, logprobs=0)["choices"]
    six.sort(key=lambda choice: -np.mean(choice["logprobs"]["token_logprobs"]))
    best = running.complete(**body, n=2, best_of=6)
    assert [c["text"] for c in best["choices"]] == [c["text"] for c in six[:2]]
    assert [c["index"] for c in best["choices"]] == [0, 1] and best["choices"][0][
        "logprobs"
    ] is None
    assert best["usage"]["completion_tokens"] == 180
    assert running.refused(n=3, best_of=2)["param"] == "best_of"
    assert running.refused(stream=True, best_of=2)["param"] == "best_of"


SETTINGS = [
    {"top_k": 2}, {"top_p": 0.3}, {"min_p": 0.4}, {"typical": 0.3}, {"repetition_penalty": 3.0},
    {"repetition_penalty": 3.0, "repetition_window": 2}, {"forbid": "eat"},
    {"lines": 1, "temperature": 4.0}, {"schedule": "2.0:0.1"}, {"until_line_end": True},
]  # fmt: skip


@pytest.mark.parametrize("more", SETTINGS)
def test_our_own_fields_do_what_they_do_elsewhere(running, small, more):
    """With a seed the engine draws as `generate` does with a generator of the same seed."""
    body = {"prompt": "the ", "max_tokens": 300, "seed": 9} | more
    settings = {"temperature": 1.0} | {
        "temperature" if k == "schedule" else k: v for k, v in more.items()
    }
    rng = np.random.default_rng([9, 0])
    expected = "".join(small.generate("the ", SampleConfig(300, **settings), rng))
    assert running.text(**body) == expected
    assert expected != running.text(prompt="the ", max_tokens=300, seed=9)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("regex", {"regex": "((a{1,100}){1,100}){1,100}"}),
        ("regex", {"regex": "a" * 10_000}),
        ("regex", {"regex": "(", "close": True}),
        ("regex", {"regex": "[a-c]+", "stop": "b"}),
        ("regex", {"regex": "[a-t]{2}", "words": ["dog"]}),  # each could be, not both
        ("words", {"words": ["dog", "cat " * 10]}),
        ("words", {"words": ["Ω"], "regex": ".*"}),
        ("code", {"code": "python", "lines": 2}),
        ("max_copy", {"max_copy": 5}),
    ],
)
def test_conditions_that_cannot_be_met(running, field, asked, stream):
    """They are refused by name, and before anything is sent."""
    pytest.importorskip("interegular")
    error = running.refused(max_tokens=30, stream=stream, **asked)
    assert (error["param"], error["type"]) == (field, "invalid_request_error")


def test_conditions(running):
    pytest.importorskip("interegular")
    found = running.complete(prompt="the ", max_tokens=40, regex="[a-c]{3} [0-9]+ cat", seed=1)
    text = found["choices"][0]["text"]
    assert (
        text[3] == " "
        and text.endswith(" cat")
        and found["usage"]["completion_tokens"] == len(text)
    )
    assert "dog" in running.text(prompt="the ", max_tokens=60, words=["dog"])
    assert running.text(max_tokens=30, close=True, seed=1) == running.text(
        max_tokens=30, close=True, seed=1)  # fmt: skip
    events = running.events(max_tokens=30, close=True, seed=1)
    streamed = "".join(event["choices"][0]["text"] for event in events[:-1])
    assert streamed == running.text(max_tokens=30, close=True, seed=1)
    assert running.refused(close=True, logprobs=1)["param"] == "logprobs"
    assert running.refused(close=True, presence_penalty=1)["param"] == "presence_penalty"
    assert running.refused(max_copy=5)["param"] == "max_copy"


WRONG = [
    ("temperature", -1), ("temperature", "hot"), ("temperature", True), ("top_p", 1.5), ("n", 0),
    ("n", 1.5), ("max_tokens", -1), ("max_tokens", 10**9), ("stop", ""), ("stop", ["a", 1]),
    ("seed", "x"), ("seed", 2**64), ("logprobs", 21), ("logprobs", True), ("echo", 1),
    ("stream", "yes"), ("presence_penalty", 3), ("frequency_penalty", -3), ("min_p", 2),
    ("suffix", "x"), ("schedule", "x:y"), ("code", "c"), ("words", "cat"), ("words", [""]),
    ("foo", 1), ("tools", []), ("messages", []), ("top_k", -1), ("forbid", "ß"), ("regex", 3),
    ("stream_options", {"x": 1}), ("effort", 10**9), ("user", 3),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_refused_is_refused_by_name(running, name, value):
    error = running.refused(**{name: value})
    assert error["param"] == name and name in error["message"]
    assert error["type"] == "invalid_request_error"


def test_every_field_is_honoured_or_refused():
    """What is not named here is not in the table, and what is not in the table is refused."""
    ours = {"schedule", "words", *SAME}
    openai = {
        "model", "prompt", "max_tokens", "temperature", "top_p", "n", "best_of", "stream",
        "stream_options", "stop", "seed", "logprobs", "echo", "logit_bias", "presence_penalty",
        "frequency_penalty", "user", "suffix",
    }  # fmt: skip
    assert set(COMPLETION["properties"]) == ours | openai


def test_nothing_given_is_null(running):
    nothing = dict.fromkeys(set(COMPLETION["properties"]) - {"model", "prompt"})
    assert len(running.text(prompt="the ", **nothing | {"suffix": ""})) == 16


def test_models(running, small):
    status, _, data = running.ask("GET", "/v1/models")
    found = json.loads(data)["data"]
    assert status == 200 and [model["id"] for model in found] == ["small", "bytes"]
    about = found[0]["char_rnn"]
    assert about["characters"] == small.vocabulary.chars and about["cell"] == "gru"
    assert (found[0]["object"], found[1]["char_rnn"]["kind"]) == ("model", "bytes")
    assert json.loads(running.ask("GET", "/v1/models/small")[2])["id"] == "small"
    error = running.refused(404, model="smal")
    assert error["code"] == "model_not_found" and "did you mean 'small'" in error["message"]
    assert running.ask("GET", "/v1/models/none")[0] == 404
    assert running.refused(404, model="../small.safetensors")["param"] == "model"


def test_a_model_of_documents(tmp_path):
    from char_rnn import Vocabulary
    from char_rnn.serve.models import Models

    model = a_model(vocabulary=Vocabulary("abcd", documents="lines"))
    model.parameters["out.bias"][model.vocabulary.end] += 2
    model.save(tmp_path / "small.safetensors")
    models = Models()
    models.add(tmp_path / "small.safetensors")
    other = Running(models)
    found = other.complete(n=20, max_tokens=500, seed=1)["choices"]
    assert {choice["finish_reason"] for choice in found} == {"stop"}
    assert len({choice["text"] for choice in found}) > 5
    assert not any("\n" in choice["text"] for choice in found)
    assert isinstance(CharRNN.load(tmp_path / "small.safetensors"), CharRNN)
    other.stop()

"""Ways to change what a file says, by someone who knows its structure and renews its checksum.

A mutant is a name and a function that writes it over the good file. `mutants` yields as many as are
asked for of one file, always the same ones for the same seed.
"""

import copy
import hashlib
import json
import os
import pickle
import random
import shutil
from unittest import mock

import numpy as np

from char_rnn.storage import load_pickle, load_tensors, save_tensors, tensors
from char_rnn.storage.fields import MisfitError
from char_rnn.storage.pickles import CHECKSUM
from char_rnn.storage.plain import sealed

CONTROL = "\x1b]0;pwned\x07\x9b31m\x00\x08\r"
PATHS = ["../victim.txt", "victim.txt", "../../victim.txt", "/dev/zero", "/dev/stdin",
         "/proc/self/environ", "..", "run", "-"]  # fmt: skip


class Raw:
    """JSON that stands in a file as it is written here."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return f"Raw({self.text[:20]!r})"


NUMBERS = [0, 1, -1, 2, 3, 4, 5, 7, 255, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, 2**128, 10**400,
           -(10**400), 0.5, -0.0, 0.1, 1e-320, 1.5, 1e16, 1e299, 1.7e308, -1.7e308, float("nan"),
           float("inf"), float("-inf"), 10**9, 2147483648, -2147483649]  # fmt: skip
TEXTS = ["", "a", "0", "1", "nan", "true", "model", "checkpoint", "lstm", "float64", "learned",
         "step", "evaluation", "0.5:1", "piecewise:0=1,9=1e308", "cosine:0:1:1", "a" * 3000,
         "a" * 200_000, "é" * 50, "\ud800", "\u202e\u2066", "[bold red]x[/]", "$\\frac{1}{0}$",
         "{n}", "%s%n", "\n\n\n", CONTROL, *PATHS]  # fmt: skip
TREES = [None, True, False, [], {}, [[]], [0], [1, 2, 3], ["a"], [None], [0.5] * 3, [True] * 3,
         {"a": 1}, {"": None}, {"kind": "bytes"}, {"__class__": "x"}, list(range(5000)), [CONTROL],
         {CONTROL: CONTROL}, {"../victim.txt": 0}]  # fmt: skip
ONLY_JSON = [Raw("1e999"), Raw("-1e999"), Raw("9" * 5000), Raw('{"a":1,"a":2}'), Raw("[" * 5000),
             Raw("[" * 900 + "]" * 900), Raw('{"a":' * 900 + "1" + "}" * 900), Raw("-"), Raw(""),
             Raw('"\\ud800\\u0000"'), Raw("1" + "0" * 300), Raw("[0," * 60 + "0" + "]" * 60),
             Raw("{" + ",".join(f'"{n}":{n}' for n in range(3000)) + "}")]  # fmt: skip
ONLY_PICKLE = [np.zeros(3), np.array(1.0), np.zeros((0, 7)), np.full((2, 2), np.nan), (1, 2), (),
               2**1000, -(2**1000), {1: 2}, {0: {"a": ()}}, np.arange(4)]  # fmt: skip


def places(tree, path=()):
    """Yield the path of every value in a tree, itself first."""
    yield path
    inner = tree.items() if isinstance(tree, dict) else ()
    for key, value in enumerate(tree) if isinstance(tree, list) else inner:
        yield from places(value, (*path, key))


def place(tree, rng):
    """Return the path of a value: any of them, or one that a walk from the outside leads to.

    The walk is for what is few beside what is many, a field beside the characters of a vocabulary.
    """
    if rng.random() < 0.2:
        return rng.choice(list(places(tree)))
    path = ()
    while isinstance(tree, dict | list) and tree and (not path or rng.random() < 0.9):
        key = rng.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
        path, tree = (*path, key), tree[key]
    return path


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def replaced(tree, path, value):
    if not path:
        return value
    at(tree, path[:-1])[path[-1]] = value
    return tree


def edited(tree, rng, more):
    """Return a name for a change and a copy of `tree` that has it."""
    tree = copy.deepcopy(tree)
    path = place(tree, rng)
    value, name = at(tree, path), ".".join(map(str, path)) or "everything"
    match rng.randrange(10):
        case 0 if path:
            del at(tree, path[:-1])[path[-1]]
            return f"{name} dropped", tree
        case 1 if isinstance(value, dict):
            key = rng.choice(["more", "", "__proto__", "length", *TEXTS])
            value[key] = rng.choice(NUMBERS + TEXTS + TREES)
            return f"{name}: {key[:20]!r} added", tree
        case 1 if isinstance(value, list) and value:
            value.insert(rng.randrange(len(value)), rng.choice([*value, *TEXTS, *NUMBERS]))
            return f"{name}: an item added", tree
        case 2 if isinstance(value, list) and value:
            return f"{name} repeated", replaced(tree, path, value * rng.choice([2, 3, 50]))
        case 3 if path:
            other = place(tree, rng) or path
            if other[: len(path)] != path and path[: len(other)] != other:
                swapped = at(tree, other)
                replaced(tree, other, value)
                return f"{name} and {other} swapped", replaced(tree, path, swapped)
        case 4 | 5 if isinstance(value, int | float):
            factor = rng.choice([-1, 0, 2, 0.5, 1000, 10**9, 10**30])
            return f"{name} times {factor}", replaced(tree, path, value * factor)
        case 6 if isinstance(value, int | float | str):
            kind = rng.choice([str, lambda x: [x], lambda x: {"value": x}, bool, float])
            try:
                return f"{name} of another type", replaced(tree, path, kind(value))
            except ValueError:
                pass
    value = rng.choice([*NUMBERS, *TEXTS, *TREES, *more])
    return f"{name} = {repr(value)[:40]}", replaced(tree, path, copy.deepcopy(value))


def edits(tree, rng, more):
    """Return the names of one to three changes, and a copy of `tree` that has them."""
    name, tree = edited(tree, rng, more)
    while rng.random() < 0.3 and isinstance(tree, dict | list):
        other, tree = edited(tree, rng, more)
        name += f"; {other}"
    return name, tree


def to_json(tree):
    """Return `tree` as JSON of any make: NaN, huge numbers, Raw."""
    raw = {}

    def token(value):
        raw[key := f"@@{len(raw)}@@"] = value.text
        return key

    text = json.dumps(tree, default=token)
    for key, value in raw.items():
        text = text.replace(f'"{key}"', value)
    return text


DTYPES = ["bool", "int8", "uint8", "int16", "float16", "int32", "float32", "int64", "float64"]
FILLS = [np.nan, np.inf, -np.inf, 1e38, -1e38, 3e4, 1e-45, 0.0]


def changed_tensors(stored, rng):
    """Return a name for a change and a copy of the dictionary of arrays `stored` that has it."""
    stored = dict(stored)
    if not stored:
        return "no tensors", stored
    name = rng.choice(list(stored))
    array = stored[name]
    match rng.randrange(12):
        case 0:
            del stored[name]
            return f"{name} dropped", stored
        case 1:
            new = rng.choice([name + "x", name.upper(), "model/" + name, *TEXTS[:-9], *PATHS])
            stored[new.replace("\ud800", "s") or "n"] = stored.pop(name)
            return f"{name} renamed to {new[:20]!r}", stored
        case 2:
            stored[f"rnn.weight_ih_l{rng.randrange(20)}"] = array
            return f"{name} once more", stored
        case 3:
            shape = rng.choice([(-1,), (1, -1), (-1, 1), (1, 1, 1, -1), array.shape[::-1]])
            stored[name] = array.reshape(shape)
            return f"{name} as {shape}", stored
        case 4:
            stored[name] = np.resize(array, rng.choice([(), (1,), (3, 3), (7, 4), (100, 100)]))
            return f"{name} resized", stored
        case 5:
            stored[name] = np.zeros(rng.choice([(0,), (0, 2**31 - 1), (2**20, 0), (0, 0)]), "f4")
            return f"{name} empty", stored
        case 6 | 7:
            kind = rng.choice(DTYPES)
            with np.errstate(all="ignore"):
                stored[name] = array.astype(kind)
            return f"{name} as {kind}", stored
        case 8:
            other = rng.choice(list(stored))
            stored[name], stored[other] = stored[other], array
            return f"{name} and {other} swapped", stored
        case 9:
            for n in range(3000):
                stored[f"t{n}"] = np.zeros((), "u1")
            return "3000 more tensors", stored
        case _:
            fill = rng.choice(FILLS)
            whole = rng.random() < 0.5 or not array.ndim
            stored[name] = array.copy()
            with np.errstate(all="ignore"):
                stored[name][... if whole else 0] = fill
            return f"{name} filled with {fill}", stored


def claimed(config, rng):
    """Let `config` claim more than a file holds; return the field and the size."""
    field = rng.choice(["hidden_size", "vocab_size", "layers"])
    config[field] = rng.choice([100, 5000, 10**6, 2**31, 2**40, 2**62])
    return field, config[field]


def claims(facts, stored, rng):
    """Return a config that claims more than the file holds, and perhaps a tensor that agrees."""
    facts, stored = copy.deepcopy(facts), dict(stored)
    field, size = claimed(facts["config"], rng)
    names = [name for name in stored if name.endswith("out.weight")]
    if rng.random() < 0.5 and size <= 10**6:
        if field == "hidden_size":
            facts["config"]["vocab_size"] = 1
            facts["vocabulary"] = {"kind": "characters", "characters": ["a"]}
        shape = (size, 1) if field == "vocab_size" else (1, size)
        stored |= {name: np.zeros(shape, "i1") for name in names}
    return f"config.{field} claims {size}", facts, stored


def driving(facts):
    """Return the facts of a sound model that writes control characters and has a name of them."""
    facts = copy.deepcopy(facts)
    if facts["vocabulary"]["kind"] == "characters":
        size = len(facts["vocabulary"]["characters"])
        facts["vocabulary"]["characters"] = [chr(n) for n in range(0x80, 0x80 + size)]
    facts["summary"]["text"] = CONTROL
    return facts


def write_tensors(path, stored, facts):
    """Write a safetensors file whose facts are the text `facts`, with its checksum."""
    with mock.patch.object(tensors, "to_json", lambda *_, **__: facts):
        save_tensors(path, stored, {})


def of_tensors(path, rng):
    """Yield mutants of a safetensors file."""
    stored, facts = load_tensors(path)
    while True:
        chance = rng.random()
        if chance < 0.62:
            name, other = edits(facts, rng, ONLY_JSON)
            text, held = to_json(other), stored
        elif chance < 0.85:
            name, held = changed_tensors(stored, rng)
            text = to_json(facts)
        elif chance < 0.93:
            name, other, held = claims(facts, stored, rng)
            text = to_json(other)
        elif chance < 0.95:
            name, text, held = "a model that drives a terminal", to_json(driving(facts)), stored
        else:
            raw = rng.choice(ONLY_JSON).text
            text = rng.choice(
                [raw, f"[{raw}]", "null", "{}", '{"kind": "model"}', to_json([facts])]
            )
            name, held = f"facts are {text[:20]}", stored
        if len(text) < tensors.MAX_HEADER_BYTES // 8:
            yield name, lambda held=held, text=text: write_tensors(path, held, text)


def of_pickle(path, rng):
    """Yield mutants of a pickle."""
    good = load_pickle(path)
    while True:
        chance = rng.random()
        if chance < 0.02:
            name, found = "a model that drives a terminal", driving(good)
        elif chance < 0.3:
            name, parameters = changed_tensors(good["parameters"], rng)
            found = good | {"parameters": parameters}
        else:
            name, found = edits(good, rng, ONLY_PICKLE)
        try:
            more = {CHECKSUM: sealed(found)[1]} if isinstance(found, dict) else None
            data = pickle.dumps(found | more if more else found, protocol=4)
        except (MisfitError, UnicodeError):  # then it is as if the checksum were wrong
            continue
        yield name, lambda data=data: path.write_bytes(data)


def of_json(path, rng):
    """Yield mutants of a JSON file."""
    good = json.loads(path.read_text("utf-8"))
    while True:
        if rng.random() < 0.1:
            tree = copy.deepcopy(good)
            name = f"model claims {claimed(tree['model'], rng)}"
        else:
            name, tree = edits(good, rng, ONLY_JSON)
        yield name, lambda tree=tree: path.write_text(to_json(tree), "utf-8", "surrogatepass")


def of_log(path, rng):
    """Yield mutants of a file of JSON lines."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    while True:
        name, found = edits(lines, rng, ONLY_JSON)
        text = "".join(to_json(line) + "\n" for line in found) if isinstance(found, list) else ""
        match rng.randrange(12):
            case 0:
                name, text = "cut", text[: rng.randrange(len(text) + 1)]
            case 1:
                name, text = "a long line", text + rng.choice(["[", "0", " ", '"']) * 300_000
            case 2:
                name, text = "repeated", text * 300
            case 3:
                name, text = "control characters", text + CONTROL + "\n"
        yield name, lambda text=text: path.write_text(text, "utf-8", "surrogatepass")


def of_place(path, rng):
    """Yield files that are not files of their own: links, folders, pipes."""
    victim = path.parent.parent / "victim.txt"

    def link(make, target):
        path.unlink()
        make(target, path)

    while True:
        yield "a link to a victim", lambda: link(os.symlink, victim)
        yield "a second name of a victim", lambda: link(os.link, victim)
        yield "a link to a device", lambda: link(os.symlink, "/dev/zero")
        yield "a link to itself", lambda: link(os.symlink, path)
        yield "a link to nothing", lambda: link(os.symlink, victim.with_name("nothing"))
        yield "a pipe", lambda: link(lambda _, new: os.mkfifo(new), None)
        yield "a folder", lambda: link(lambda _, new: new.mkdir(), None)
        yield "empty", lambda: path.write_bytes(b"")


KINDS = {
    "model.safetensors": of_tensors,
    "last.safetensors": of_tensors,
    "config.json": of_json,
    "log.jsonl": of_log,
    "model.pkl": of_pickle,
}


def mutants(path, count, seed, kinds=KINDS):
    """Yield `count` mutants of the file `path`: a name, and a function that writes it there.

    kinds: what yields those of each name.
    """
    name = path.name.encode()
    rng = random.Random(int.from_bytes(hashlib.sha256(name).digest()[:4], "big") + seed)
    ordinary, odd = kinds[path.name](path, rng), of_place(path, rng)
    for n in range(count):
        yield next(odd if n % 40 == 39 and hasattr(os, "mkfifo") else ordinary)


def restored(good, run):
    """Put a copy of the folder `good` in the place of `run`."""
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(good, run)

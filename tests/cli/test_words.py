"""What is said is true of the command that was called: options, names, and what has no effect."""

import ast
import re
from importlib import import_module
from pathlib import Path

import click
import pytest

import char_rnn
from char_rnn.cli import classic, rules
from char_rnn.cli.main import COMMANDS, cli
from char_rnn.cli.words import fitting
from char_rnn.errors import CharRNNError, UsageError, did_you_mean, unknown_name

SOURCE = Path(char_rnn.__file__).parent
CALLED = {
    **{f"char-rnn {name}": import_module(f"char_rnn.cli.{name}").command for name in COMMANDS},
    "python generate.py": classic.generate,
    "python train_rnn.py": classic.train_rnn,
}
SHARED = {
    # Modules that work for several commands, or for one of another name.
    "sampling": ["generate"], "interactive": ["generate"], "settings": ["train"],
    "to_the_end": ["train"],
}  # fmt: skip


def options(*commands):
    """Return the options that all of these commands have."""
    found = [
        {n for p in command.params for n in (*p.opts, *p.secondary_opts)} for command in commands
    ]
    return set.intersection(*found)


EVERY = set().union(*(options(command) for command in CALLED.values()))


def messages(path):
    """Yield what a module says: its texts but for docstrings; of an f-string the parts as one."""
    tree = ast.parse(path.read_text("utf-8"))
    parts = {
        id(x) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for x in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(v.value if isinstance(v, ast.Constant) else "X" for v in node.values)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ):
            yield node.value


def named(text):
    return set(re.findall(r"--[a-z][a-z_-]+", text)) - {"--help", "--version"}


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda p: p.relative_to(SOURCE).as_posix()
)
def test_every_option_that_is_named_is_one_of_the_command(path):
    room, *_ = path.relative_to(SOURCE).parts
    for message in messages(path):
        rest = message
        for called, command in CALLED.items():  # whole commands, to be called next
            for found in re.findall(rf"{re.escape(called)}\b[^;:,]*", message):
                assert named(found) <= options(command), message
                rest = rest.replace(found, "")
        if room == "cli" and path.stem in COMMANDS:
            known = options(CALLED[f"char-rnn {path.stem}"])
        elif path.stem in SHARED:
            known = options(*(CALLED[f"char-rnn {name}"] for name in SHARED[path.stem]))
        elif room in ("training", "runs") or path.stem == "advice":
            known = options(CALLED["char-rnn train"])
            assert named(rest) <= EVERY, message
            rest = fitting(rest, CALLED["char-rnn train"])
        elif room == "sweeps":  # which is for one command
            known = options(CALLED["char-rnn sweep"])
        elif room == "cli":
            known = EVERY
        else:  # a room below names options in brackets, which `fitting` takes out
            known = set()
            assert named(rest) <= EVERY, message
            rest = fitting(rest, click.Command("none"))
        assert named(rest) <= known, message


@pytest.mark.parametrize(
    ("table", "command"),
    [(rules.GENERATING, "generate"), (rules.TRAINING, "train"), (rules.DRAWING, "overlap")],
)
def test_rules_are_of_their_command(table, command):
    known = options(CALLED[f"char-rnn {command}"])
    for rule in table:
        assert {f"--{name}" for name in rule.options} <= known
        assert named(rule.why) <= known


def test_options_in_brackets_are_left_out_where_there_are_none():
    said = "leave it out (--skip_unknown does), or (not --length) take it as bytes (--bytes)"
    assert fitting(said, CALLED["char-rnn generate"]) == said.replace(" (--bytes)", "")
    assert fitting(said, classic.generate).count("--") == 1
    assert fitting(said, CALLED["char-rnn train"]) == said.replace(" (--skip_unknown does)", "")


def test_names_like_the_one_that_there_is_not():
    assert did_you_mean("lstn", ["gru", "lstm"]) == " (did you mean 'lstm'?)"
    assert did_you_mean("Sha", ["shakespeare", "other"]) == " (did you mean 'shakespeare'?)"
    assert did_you_mean("zzz", ["gru", "lstm"]) == did_you_mean("", ["gru"]) == ""
    said = str(unknown_name("cell", "lstn", ("gru", "lstm")))
    assert said == "unknown cell 'lstn' (did you mean 'lstm'?); known: gru, lstm"


def called(*arguments, program=cli):
    """Return the error that a command ends with."""
    with pytest.raises(CharRNNError) as caught:
        program.main([str(a) for a in arguments], standalone_mode=False)
    command = program if program is not cli else cli.called
    assert "\n" not in str(caught.value)
    return caught.value, fitting(str(caught.value), command)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a text, an empty folder, and a run without a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))
    Path("text.txt").write_text("hello there\n" * 50)
    Path("latin.txt").write_bytes(b"caf\xe9 " * 50)
    Path("void").mkdir()
    Path("begun").mkdir()
    Path("begun/config.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "nosuch"], ["inspect", "nosuch"], ["plot", "nosuch"], ["compare", "nosuch"],
        ["overlap", "nosuch"], ["overlap", "text.txt", "nosuch", "--text", "text.txt"],
        ["evaluate", "nosuch", "text.txt"], ["train", "--resume", "nosuch"],
        ["train", "text.txt", "--start_from", "nosuch"],
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_in_the_same_words(home, arguments):
    error, said = called(*arguments)
    assert said == "nosuch: no such file or run folder" and not isinstance(error, UsageError)


def test_what_is_alike_is_asked_for(home):
    assert "did you mean 'shakespeare'" in called("generate", "shakespear")[1]
    assert "did you mean 'begun'" in called("plot", "begin")[1]
    assert "did you mean 'text.txt'" in called("train", "test.txt")[1]
    assert "did you mean 'python-docs'" in called("train", "python-doc")[1]
    error, said = called("genrate")
    assert "did you mean 'generate'" in said and isinstance(error, UsageError)
    with pytest.raises(click.UsageError) as caught:
        cli.main(["generate", "--lenght", "5"], standalone_mode=False)
    assert "--length" in caught.value.format_message()


@pytest.mark.parametrize("command", ["generate", "inspect", "plot"])
def test_to_resume_is_advised_for_runs_alone(home, command):
    assert "not a run folder" in called(command, "void")[1]
    assert "--resume" not in called(command, "void")[1]
    assert "char-rnn train --resume begun" in called(command, "begun")[1]


def test_a_folder_that_is_there_already(home):
    (home / "void" / "x").touch()
    train = ["train", "text.txt", "--iterations", 1, "--hidden_size", 4, "--out"]
    assert "--resume" not in called(*train, "void")[1]
    assert "(--resume begun)" in called(*train, "begun")[1]


@pytest.mark.parametrize("command", ["evaluate shakespeare", "train", "overlap --text text.txt"])
def test_bytes_are_advised_where_they_can_be_had(home, command):
    _, said = called(*command.split(), "latin.txt")
    assert "not valid UTF-8" in said and ("--bytes" in said) == ("evaluate" not in command)


SILENT = {
    # what would be ignored: the option, and why
    "train text.txt --iterations 2": [
        ("--momentum 0.5", "--optimizer sgd"), ("--weight_decay 0.1", "--optimizer adamw"),
        ("--layers 1 --layer_dropout 0.5", "one layer"),
        ("--schedule constant --warmup 5", "--warmup"),
        ("--schedule exponential --warmup 5", "--warmup"),
        ("--schedule constant --final_rate 0.5", "--final_rate"),
        ("--clip 0 --clip_by value", "--clip_by"),
        ("--sampling_schedule linear", "--scheduled_sampling"),
        ("--sample_every 0 --temperature 1", "--temperature"),
        ("--sample_every 0 --sample_length 9", "--sample_length"),
        ("--patience 3 --eval_every 0", "--eval_every"),
        ("--patience 3 --val_fraction 0", "--val_fraction"),
        ("--eval_every 3 --val_fraction 0", "--val_fraction"),
    ],
    "train text.txt --minutes 0.01": [("--optimizer adam --momentum 0.5", "--optimizer sgd")],
    "train text.txt --start_from shakespeare --iterations 2": [
        ("--optimizer sgd --weight_decay 0.1", "--optimizer adamw"),
    ],
    "generate shakespeare": [
        ("--greedy --temperature 1", "--greedy"), ("--groups 2", "--beam"),
        ("--results 2", "--beam"), ("--diversity 1", "--beam"), ("--length_penalty 1", "--beam"),
        ("--beam 4 --diversity 1", "--groups"), ("--repetition_window 9", "--repetition_penalty"),
        ("--effort 9", "condition"), ("--text text.txt", "--max_copy"),
        ("--skip_unknown", "--seed"), ("--count 2 --highlight", "--count"),
        ("--out a.txt --highlight", "--out"), ("--count 2 --close --threads 2", "one by one"),
    ],
    "generate shakespeare --beam 4": [
        (option, "--beam") for option in (
            "--greedy", "--temperature 1", "--top_k 3", "--top_p 0.5", "--min_p 0.1",
            "--typical 0.5", "--repetition_penalty 1.2", "--bias e=1", "--forbid e", "--threads 2",
            "--highlight", "--count 2",
        )
    ] + [("--groups 3", "--beam 4 cannot be cut"), ("--results 5", "--beam 4")],
    "generate shakespeare --interactive": [
        (option, "--interactive") for option in
        ("--out a.txt", "--count 2", "--threads 2", "--highlight", "--beam 2")
    ],
    "overlap text.txt --text text.txt": [
        (option, "model") for option in
        ("--count 2", "--length 9", "--temperature 1", "--rng_seed 1")
    ] + [("--json --show", "--show and --json")],
    "evaluate shakespeare text.txt": [("--json --show", "--show and --json")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "more", "why"),
    [(command, *pair) for command, pairs in SILENT.items() for pair in pairs],
)
def test_nothing_is_ignored_in_silence(home, command, more, why):
    error, said = called(*command.split(), *more.split())
    assert isinstance(error, UsageError) and why in said
    assert more.split("--")[-1].split()[0] in said
    assert not (home / "runs").exists()


def test_what_asks_for_nothing_is_not_refused(home, capsys):
    begin = "train text.txt --iterations 1 --hidden_size 4 --sample_every 0 --threads 1 --out run"
    cli.main([*begin.split(), "--layer_dropout", "0", "--momentum", "0"], standalone_mode=False)
    assert "Run folder: run" in capsys.readouterr().out
    run = ["train", "--resume", "run", "--iterations", 2]
    for wrong in (["--temperature", 1], ["--verbose"], ["latin.txt"]):
        assert isinstance(called(*run, *wrong)[0], UsageError)
    assert called(*run, "latin.txt")[1].startswith("run goes on with its own text, ")


def test_what_the_plan_decides_is_told(home, capsys, monkeypatch):
    monkeypatch.setattr("char_rnn.runs.plan.measure", lambda *_: 1e4)
    begin = "train text.txt --minutes 0.001 --sample_every 0 --threads 1 --momentum 0.5"
    cli.main(begin.split(), standalone_mode=False)
    said = capsys.readouterr().out
    assert "Note: --momentum has no effect without --optimizer sgd" in said
    begin = "train text.txt --iterations 1 --hidden_size 4 --sample_every 0 --threads 1 --verbose"
    cli.main(begin.split(), standalone_mode=False)
    assert "Plan: none" in capsys.readouterr().out


def test_the_exercise_names_its_own_options(home, capsys):
    error, said = called("--text", "text.txt", "--sample_every", 0, "--temperature", 1,
                         program=classic.train_rnn)  # fmt: skip
    assert isinstance(error, UsageError) and "--sample_every" in said
    _, said = called("--model", "shakespeare", "--seed", "Zü", program=classic.generate)
    assert "'ü' (U+00FC)" in said and "--" not in said
    _, said = called("generate", "shakespeare", "--seed", "Zü")
    assert "'ü' (U+00FC)" in said and "--skip_unknown" in said


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("generate", cli), ("overlap shakespeare", cli), ("train text.txt", cli),
        ("", classic.generate), ("--text text.txt", classic.train_rnn),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", ["-1", "x"])
def test_a_seed_that_is_none(home, command, program, seed):
    try:
        _, said = called(*command.split(), "--rng_seed", seed, program=program)
    except click.UsageError as error:
        said = error.format_message()
    assert "rng_seed" in said and seed in said


@pytest.mark.parametrize("option", ["--stop", "--words", "--bias", "--forbid"])
def test_what_the_model_never_writes_is_told(home, option):
    value = "é=3" if option == "--bias" else "é"
    _, said = called("generate", "shakespeare", option, value)
    assert "'é' (U+00E9)" in said and "--skip_unknown" not in said


def test_an_empty_name_is_no_name(home):
    """As it comes out of a variable that is not set."""
    assert "empty" in called("train", "", "--iterations", 1)[1]
    assert "empty" in called("evaluate", "shakespeare", "")[1]
    assert "empty" in called("overlap", "", "--text", "text.txt")[1]
    assert "--regex" in called("generate", "shakespeare", "--regex", "")[1]


def test_what_is_left_out_is_not_given():
    """Before 8.3, click says of a text that is left out that it was typed."""
    with CALLED["char-rnn train"].make_context("train", ["-m", "3"]) as ctx:
        ctx.set_parameter_source("text", click.core.ParameterSource.COMMANDLINE)
        assert rules.given_options(ctx) == {"minutes": 3.0}

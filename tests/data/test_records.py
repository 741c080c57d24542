"""JSON lines and CSV by a column: its texts, and what is told of the records without one."""

import csv
import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.data import records
from char_rnn.data.records import Records, form_of
from char_rnn.data.sources import open_source
from char_rnn.errors import DataError
from char_rnn.text_config import TextConfig

TEXT = TextConfig(column="text")


def texts(source):
    return ["".join(unit) for unit in source.units(False)]


def written(folder, name, data, encoding="utf-8"):
    path = folder / name
    path.write_bytes(data.encode(encoding))
    return path


def test_json_lines(tmp_path):
    lines = [
        {"text": "one", "id": 1}, {"text": "two\r\nlines \u2028", "id": 2}, {"id": 3}, [1],
        {"text": 5}, {"text": ""}, {"text": "\ud800"}, {"text": None}, {"text": "thr\0ee"},
    ]  # fmt: skip
    data = "\n\n".join(map(json.dumps, lines)) + "\nno json\r\n"
    path = written(tmp_path, "a.jsonl", "\ufeff" + data)
    source = open_source(path, TEXT)
    expected = ["one", "two\nlines \u2028", "thr\0ee"]
    assert texts(source) == texts(source) == expected
    assert "".join(source.chunks()) == "\n".join(expected)
    assert b"".join(source.byte_chunks()) == "\n".join(expected).encode()
    assert source.notes == [
        "line ends read as LF: 1 CR LF (--keep_line_ends leaves them)",
        f"skipped 2 records that are without 'text': line 5 of {path}, line 15 of {path}",
        f"skipped 2 records that are no JSON object: line 7 of {path}, line 18 of {path}",
        f"skipped 1 record that is without a text in 'text': line 9 of {path}",
        f"skipped 1 record that is empty in 'text': line 11 of {path}",
        f"skipped 1 record that is with half of a surrogate pair in 'text': line 13 of {path}",
    ]
    kept = open_source(path, TextConfig(column="text", keep_line_ends=True))
    assert texts(kept)[1] == "two\r\nlines \u2028"
    as_bytes = open_source(path, TextConfig(True, column="text"))
    assert [b"".join(unit) for unit in as_bytes.units(True)] == [b.encode() for b in expected]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", 'id,text\r\n1,"a, ""b""\r\nc"\r\n2,d\r\n', ['a, "b"\nc', "d"]),
        ("a.tsv", 'text\tid\na, b\t1\n\n"c\td"\t2\n', ["a, b", "c\td"]),
        ("a.csv", "id;text\n1;a, b\n", ["a, b"]),  # as a spreadsheet writes it in Europe
        ("a.csv", "id\ttext\n1\ta\n", ["a"]),
        ("a.CSV", "text\na\rb\n", ["a", "b"]),
        ("a.txt", "text,x\na,\nb,\n", ["a", "b"]),
        ("a.txt", '{"text": "a"}\n{"text": "b"}', ["a", "b"]),
        ("a.json", '{"text": "a"}', ["a"]),
    ],
)
def test_tables(tmp_path, name, data, expected):
    path = written(tmp_path, name, data)
    assert texts(open_source(path, TEXT)) == expected
    sized = written(tmp_path, name, data, "utf-16")
    assert texts(open_source(sized, TEXT)) == expected


def test_a_short_row_and_a_missing_column(tmp_path):
    path = written(tmp_path, "a.csv", "id,text\n1\n2,b\n3,c,d\n")
    source = open_source(path, TEXT)
    assert texts(source) == ["b", "c"]
    assert source.notes == [f"skipped 1 record that is without 'text': line 2 of {path}"]
    with pytest.raises(DataError, match=r"no record has a text in 'txt' \(did you mean 'text'\?\)"):
        list(open_source(path, TextConfig(column="txt")).chunks())
    path = written(tmp_path, "b.jsonl", '[\n{"a": 1,\n"b": 2}]\n')
    with pytest.raises(DataError, match="no record has a text in 'text'; found no record at all"):
        list(open_source(path, TEXT).chunks())
    path = written(tmp_path, "b.jsonl", '{"title": "a", "body": "b"}\n')
    with pytest.raises(DataError, match="; found: 'title', 'body'"):
        list(open_source(path, TEXT).chunks())


def test_a_folder_of_tables(tmp_path):
    written(tmp_path, "a.jsonl", '{"text": "one"}')
    written(tmp_path, "b.csv", "text\ntwo\n")
    written(tmp_path, "c.txt", "not this one")
    written(tmp_path, "d.csv", "other\nx\n")
    source = open_source(tmp_path, TEXT)
    assert "".join(source.chunks()) == "one\ntwo"
    assert source.notes == [
        "skipped 1 file that is neither JSON lines nor CSV: c.txt",
        f"skipped 1 record that is without 'text': all of {tmp_path / 'd.csv'}",
    ]


def test_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST", 1000)
    limit = csv.field_size_limit(1000)
    try:
        path = written(tmp_path, "a.csv", 'text\na\n"' + "never closed\n" * 100)
        with pytest.raises(DataError, match=r"a\.csv: line \d+ is no CSV: field larger"):
            list(open_source(path, TEXT).chunks())
    finally:
        csv.field_size_limit(limit)
    path = written(tmp_path, "a.jsonl", '{"text": "' + "x" * 2000)
    with pytest.raises(DataError, match=r"a\.jsonl: a line of more than 1,000 characters"):
        list(open_source(path, TEXT).chunks())


def test_deep_and_huge_json(tmp_path):
    deep = "[" * 100_000 + "\n" + '{"text": "a", "n": ' + "9" * 5000 + "}\n" + '{"text": "b"}'
    source = open_source(written(tmp_path, "a.jsonl", deep), TEXT)
    assert texts(source)[-1] == "b" and "no JSON object" in source.notes[-1]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n{}\n')))
    source = open_source("-", TEXT)
    assert texts(source) == ["a"]
    assert source.notes == ["skipped 1 record that is without 'text': line 2 of the text"]


def test_forms():
    names = ("a.jsonl", "a.NDJSON", "a.json.gz", "'a\\n.json'", "a.csv.xz", "b.TSV", "c.txt", "d")
    forms = [form_of(name) for name in names]
    assert forms == [".jsonl"] * 4 + [".csv", ".tsv", "", ""]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                        min_size=1), min_size=1, max_size=5))  # fmt: skip
def test_csv_gives_back_what_was_written(rows):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["id", "text"]] + [
        [i, row] for i, row in enumerate(rows)])  # fmt: skip
    data = file.getvalue()
    for pieces in ([data], data):
        assert list(Records("text").of(iter(pieces), "a.csv")) == rows

"""Documents: where they end, what is done with them, and in which order they are read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.data.corpus import Corpus
from char_rnn.data.document_streams import DocumentStreams
from char_rnn.data.documents import unshuffled
from char_rnn.data.vocabulary import ByteVocabulary, Vocabulary
from char_rnn.errors import TextTooShort, UnknownCharacters, UsageError
from char_rnn.text_config import TextConfig, between


class Pieces:
    """A text in pieces, as a Source hands it over; a list of texts is as many files."""

    name, where, notes = "text", "", ()

    def __init__(self, *pieces, files=(), **config):
        self._pieces, self._files, self.config = pieces, files, TextConfig(**config)

    def chunks(self):
        return iter(self._pieces)

    def byte_chunks(self):
        return (piece.encode() for piece in self._pieces)

    def units(self, as_bytes):
        for file in self._files:
            yield iter([file.encode() if as_bytes else file])

    def key(self):
        return repr((self._pieces, self._files))


def documents(corpus):
    ids = corpus.read(0, corpus.length)
    assert ids[0] == ids[-1] == corpus.vocabulary.end
    pairs = zip(corpus.ends[:-1], corpus.ends[1:], strict=True)
    return [corpus.vocabulary.decode(ids[a + 1 : b]) for a, b in pairs]


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("anna\nbert\n", "lines", ["anna", "bert"]),
        ("\n\nanna\n\n\nbert", "lines", ["anna", "bert"]),
        (" anna \nbert", "lines", [" anna ", "bert"]),
        ("a\nb\n\nc\n", "blank", ["a\nb", "c"]),
        ("\n\na\n \t\n\n\nb\n\n", "blank", ["a", "b"]),
        ("a\n%%%\nb\n%%%\n%%%\n", "%%%", ["a", "b"]),
        ("a|b||c", "|", ["a", "b", "c"]),
        ("a\n--\nb\n---\nc", r"\n---\n", ["a\n--\nb", "c"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_where_documents_end(text, kind, found, size):
    pieces = [text[k : k + size] for k in range(0, len(text), size)]
    corpus = Corpus.from_source(Pieces(*pieces, documents=kind))
    assert documents(corpus) == found
    assert "\n" not in corpus.vocabulary or kind != "lines"


@given(
    st.text("ab\n \t", max_size=40), st.integers(1, 7), st.sampled_from(["lines", "blank", "ab"])
)
def test_chunks_make_no_difference(text, size, kind):
    pieces = [text[k : k + size] for k in range(0, len(text), size)]
    for as_bytes in (False, True):
        both = []
        for parts in ([text], pieces):
            try:
                corpus = Corpus.from_source(Pieces(*parts, documents=kind, bytes=as_bytes))
                both.append((documents(corpus), corpus.sha256))
            except (TextTooShort, ValueError):
                both.append(None)
        assert both[0] == both[1]


def test_files_and_records_are_units():
    for kind, more in (("files", {}), ("records", {"column": "t"})):
        source = Pieces(files=["one\n\nmore\n", "", "two"], documents=kind, **more)
        assert documents(Corpus.from_source(source)) == ["one\n\nmore", "two"]


def test_documents_of_bytes_are_not_touched():
    corpus = Corpus.from_source(Pieces(files=["a\n", "\nb"], documents="files", bytes=True))
    assert corpus.vocabulary == ByteVocabulary("files") and corpus.vocabulary.size == 257
    assert documents(corpus) == ["a\n", "\nb"]
    assert corpus.to_bytes() == b"\na\n\n\nb\n"
    assert list(corpus.documents()) == [b"a\n", b"\nb"]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_lines_of_a_text_stand_for_its_documents(end):
    data = b"a\xff\n\nb\r\nc"
    assert list(Corpus.from_text(data + end).documents()) == [b"a\xff", b"", b"b\r", b"c"]
    assert list(Corpus.from_text("a\n\nb" + end.decode()).documents()) == ["a", "", "b"]


def test_a_text_without_a_document_is_an_error():
    with pytest.raises(TextTooShort, match="empty"):
        Corpus.from_source(Pieces("\n\n\n", documents="lines"))


NAMES = "\n".join(f"name{k:03}" for k in range(200))


@pytest.fixture
def names():
    return Corpus.from_source(Pieces(NAMES, documents="lines"))


def test_shuffling_keeps_every_document_whole(names):
    other = names.shuffled(3)
    assert sorted(documents(other)) == documents(names) != documents(other)
    assert other.sha256 == names.sha256
    assert [documents(names)[k] for k in other.order] == documents(other)
    assert documents(names.shuffled(3)) == documents(other) != documents(names.shuffled(4))
    plain = Corpus.from_text("no documents")
    assert plain.shuffled(1) is plain


@pytest.mark.parametrize(("share", "held_out"), [(0.1, 20), (0.001, 1), (0.999, 199), (0.0, 0)])
def test_the_parts_are_shares_of_the_documents(names, share, held_out):
    shuffled = names.shuffled(0)
    parts = shuffled.parts(share)
    assert parts.train_stop == parts.val_start
    assert parts.val_stop == names.length
    if held_out:
        assert parts.val_start == shuffled.ends[-1 - held_out]
    else:
        assert parts.val_start == names.length


def test_a_part_to_calibrate_on_begins_where_a_document_ends():
    many = "\n".join(f"name{k}" for k in range(20_000))
    corpus = Corpus.from_source(Pieces(many, documents="lines")).shuffled(0)
    train, val, _ = corpus.parts(0.1, 0.02)
    assert {train, val} <= set(corpus.ends)
    assert 0.02 * val <= val - train <= 0.02 * val + 20


def test_streams_read_every_document_once_an_epoch_in_another_order(names):
    stop = names.parts(0.1).train_stop
    streams = names.streams(stop, 4, 9, seed=1)
    assert isinstance(streams, DocumentStreams)
    orders = []
    for epoch in range(2):
        windows = [streams.next() for _ in range(streams.windows_per_epoch)]
        assert windows[0].first and streams.epoch == epoch
        read = np.concatenate([w.targets for w in windows]).T.reshape(-1)
        inputs = np.concatenate([w.inputs for w in windows]).T.reshape(-1)
        assert (np.concatenate([w.inputs for w in windows])[1:] == read.reshape(4, -1).T[:-1]).all()
        assert (inputs == names.vocabulary.end).sum() >= 170
        orders.append(names.vocabulary.decode(read).split("\n"))
    whole = [[name for name in order if len(name) == 7] for order in orders]
    assert whole[0] != whole[1]
    trained = set(documents(names)[:180])
    for order in whole:
        assert len(set(order)) == len(order) >= 170 and set(order) <= trained


def test_streams_go_on_in_the_same_order(names):
    one, other = (names.streams(names.length - 1, 3, 10, seed=5) for _ in range(2))
    for _ in range(one.windows_per_epoch + 4):
        one.next()
    other.restore(one.state())
    for _ in range(2 * one.windows_per_epoch):
        assert (one.next().targets == other.next().targets).all()


def test_a_vocabulary_that_is_given_says_what_a_document_is(names):
    corpus = Corpus.from_source(Pieces("name1\nname2"), vocabulary=names.vocabulary)
    assert documents(corpus) == ["name1", "name2"]
    left_out = {}
    corpus = Corpus.from_source(
        Pieces("nXme1\nY\n"), vocabulary=names.vocabulary, left_out=left_out
    )
    assert documents(corpus) == ["nme1"] and left_out == {"X": 1, "Y": 1}
    with pytest.raises(UnknownCharacters, match="'X'"):
        Corpus.from_source(Pieces("nXme1"), vocabulary=names.vocabulary)


def test_what_stands_between_documents_when_they_are_written():
    kinds = {"": "", "lines": "\n", "records": "\n", "blank": "\n\n", "files": "\n\n"}
    assert {kind: between(kind) for kind in kinds} == kinds
    assert between("%%%") == "\n%%%\n" and between(r"\n--\n") == "\n--\n"


def test_rare_characters_are_one_symbol():
    corpus = Corpus.from_source(Pieces("abab", "xaby", min_count=2))
    assert corpus.vocabulary == Vocabulary("ab", rare=True)
    assert corpus.vocabulary.decode(corpus.read(0, 8)) == "abab\ufffdab\ufffd"
    assert Corpus.from_source(Pieces("abab", min_count=2)).vocabulary == Vocabulary("ab")
    with pytest.raises(UsageError, match="min_count is 3"):
        Corpus.from_source(Pieces("abab", min_count=3))


def test_the_form_of_a_text_is_its_vocabularys():
    corpus = Corpus.from_source(Pieces("Cafe", "\u0301 CAFÉ", normalize="NFC", lowercase=True))
    assert corpus.vocabulary == Vocabulary(" acfé", normalize="NFC", lowercase=True)
    assert corpus.preview(20) == "café café"
    again = Corpus.from_source(Pieces("CAFE\u0301"), vocabulary=corpus.vocabulary)
    assert again.preview(9) == "café"


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["anna", "", "bert"], "lines"),
        (["a\nb", "c"], "blank"),
        (["a\n\nb", "c\nd"], "\f"),
        (["one alone"], "lines"),
    ],
)
def test_documents_in_memory_come_back_as_they_were(texts, kind):
    corpus = Corpus.from_documents(texts)
    assert corpus.vocabulary.documents == kind
    whole = [text for text in texts if text]
    assert list(corpus.documents()) == documents(corpus) == whole
    again = Corpus.from_source(Pieces(corpus.to_bytes().decode(), documents=kind))
    assert list(again.documents()) == whole


def test_documents_that_nothing_tells_apart_are_refused():
    with pytest.raises(UsageError, match="form feeds"):
        Corpus.from_documents(["a\n\nb\f", "c\n"])
    with pytest.raises(UsageError, match="from_documents"):
        Corpus.from_text("ab", Vocabulary("ab", documents="lines"))
    with pytest.raises(UsageError, match="not one of documents"):
        Corpus.from_documents(["ab"], Vocabulary("ab"))


def test_unshuffled_documents_are_shuffled_into_their_order():
    texts = [f"document {n}" for n in range(20)]
    assert unshuffled(texts, 3) != texts
    corpus = Corpus.from_documents(unshuffled(texts, 3)).shuffled(3)
    assert list(corpus.documents()) == texts

"""A team trains as one: the same bits, one clock, one will. Its members here are threads."""

import dataclasses
import threading

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from char_rnn import CharRNN
from char_rnn.config import TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.errors import TeamError, UsageError
from char_rnn.training import parallel
from char_rnn.training.events import Evaluation, Sample, Step
from char_rnn.training.team import Team
from char_rnn.training.trainer import Trainer

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 60
CONFIG = TrainConfig(
    batch_size=8, seq_length=10, iterations=9, threads=1, eval_every=4, sample_every=3,
    sample_length=5, average=0.9,
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _workers_for_small_networks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "SMALLEST_SLICE", 1)
        yield


class Board:
    """Where `size` threads hand over what the others take."""

    def __init__(self, size):
        self.barrier, self.values = threading.Barrier(size, timeout=30), [None] * size

    def exchange(self, rank, value):
        self.values[rank] = value
        self.barrier.wait()
        found = list(self.values)
        self.barrier.wait()
        return found


class Member(Team):
    def __init__(self, board, rank, size):
        self._board, self.rank, self.size = board, rank, size

    def add(self, gradients, after, total):
        found = self._board.exchange(self.rank, (gradients.copy(), after, total))
        gradients[:] = found[0][0]
        for others, _, _ in found[1:]:
            gradients += others
        for rank, (_, states, _) in enumerate(found):
            B = after.shape[2]
            cut = slice(B * rank // self.size, B * (rank + 1) // self.size)
            after[:, :, cut] = states[:, :, cut]
        return sum((loss for _, _, loss in found[1:]), found[0][2])

    def agree(self, elapsed, stop):
        found = self._board.exchange(self.rank, (elapsed, stop))
        return found[0][0], any(wants for _, wants in found)

    def gather(self, value):
        return self._board.exchange(self.rank, value)

    def told(self, value):
        return self.gather(value)[0]

    def check_same(self, what, value):
        if len(set(self.gather(value))) > 1:
            raise TeamError(what)


def made(config, cell, layers=1, team=None):
    corpus = Corpus.from_text(TEXT)
    model = CharRNN(
        corpus.vocabulary.size, 12, cell, layers, rng=np.random.default_rng(0),
        vocabulary=corpus.vocabulary, initial_state="random",
    )  # fmt: skip
    return Trainer(model, corpus, config, **({} if team is None else {"team": team}))


def together(size, act):
    """Return what `act`, of each member of a team, returns; raise what one of them raises."""
    board, found, wrong = Board(size), [None] * size, []

    def run(rank):
        try:
            found[rank] = act(Member(board, rank, size))
        except BaseException as error:
            board.barrier.abort()
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for error in wrong:
        if not isinstance(error, threading.BrokenBarrierError):
            raise error
    assert not wrong
    return found


def kept(trainer):
    """Return what a trainer has come to, without the time that it took."""
    tensors, facts = trainer.state()
    for name in ("seconds", "elapsed", "reserve", "slices"):
        del facts[name]
    return tensors, facts


NOISE = {"input_dropout": 0.1, "layer_dropout": 0.2, "output_dropout": 0.2,
         "recurrent_dropout": 0.2, "reset": 0.2, "random_offset": True}  # fmt: skip


@settings(max_examples=10, deadline=None)
@example(size=3, cell="gru", batch_size=10, more={"scheduled_sampling": 0.9, "noise": True})
@given(
    size=st.integers(2, 4),
    cell=st.sampled_from(["rnn", "lstm", "gru"]),
    batch_size=st.integers(8, 11),
    more=st.fixed_dictionaries(
        {},
        optional={
            "scheduled_sampling": st.just(0.3),
            "clip_by": st.just("value"),
            "noise": st.just(True),
        },
    ),
)
def test_n_members_compute_what_n_workers_compute_to_the_bit(size, cell, batch_size, more):
    more = dict(more)
    noise = NOISE if more.pop("noise", False) else {}
    config = dataclasses.replace(CONFIG, batch_size=batch_size, **more, **noise)

    def train(team):
        trainer = made(config, cell, 2, team)
        list(trainer)
        return kept(trainer)

    alone = made(dataclasses.replace(config, threads=size), cell, 2)
    list(alone)
    assert alone.threads == size
    expected, facts = kept(alone)
    for tensors, found in together(size, train):
        assert tensors.keys() == expected.keys()
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(tensor, expected[name], name)
        assert found == facts


def test_members_with_workers_of_their_own_learn_the_same_but_for_rounding():
    def train(team):
        trainer = made(dataclasses.replace(CONFIG, threads=2), "gru", team=team)
        list(trainer)
        assert trainer.slices == [2, 2]
        return trainer.model.parameters.flat

    one = made(CONFIG, "gru")
    list(one)
    first, second = together(2, train)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, one.model.parameters.flat, atol=1e-4)


def test_each_reads_its_own_part_of_the_text_and_the_leader_alone_writes_samples():
    reads = {}

    def train(team):
        trainer = made(CONFIG, "gru", team=team)
        text = trainer.streams.next
        asked = reads[team.rank] = []

        def spy(columns=slice(None)):
            asked.append(columns)
            return text(columns)

        trainer.streams.next = spy
        return list(trainer)

    leader, other = together(2, train)
    assert reads[0][-9:] == [slice(0, 4)] * 9
    assert reads[1][-9:] == [slice(4, 8)] * 9
    assert len([e for e in leader if isinstance(e, Sample)]) == 4
    assert len([e for e in other if isinstance(e, Sample)]) == 1  # that before the first step
    losses = [
        [(e.iteration, e.val_loss, e.best) for e in events if isinstance(e, Evaluation)]
        for events in (leader, other)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("who", [0, 1])
def test_whoever_wants_to_stop_stops_all_after_the_same_step(who):
    def train(team):
        trainer = made(dataclasses.replace(CONFIG, iterations=10_000), "rnn", team=team)
        for event in trainer:
            if isinstance(event, Step) and event.iteration == 5 and team.rank == who:
                trainer.stop = True
        return trainer.iteration

    assert together(2, train) == [5, 5]


def test_the_clock_of_the_leader_counts():
    config = dataclasses.replace(CONFIG, iterations=None, minutes=1.0)

    def train(team):
        trainer = made(config, "rnn", team=team)
        trainer.budget.elapsed = 59.99 if team.leads else 0.0
        list(trainer)
        return trainer.iteration, trainer.progress

    (first, progress), (second, other) = together(2, train)
    assert first == second < 1000
    assert progress == other == 1


def test_what_the_leader_measures_decides_which_model_is_best(monkeypatch):
    from char_rnn.training import validation

    losses = {0: iter([3.0, 2.0, 2.5]), 1: iter([1.0, 2.0, 3.0])}
    ranks = threading.local()
    monkeypatch.setattr(validation, "mean_loss", lambda *_: next(losses[ranks.rank]))

    def train(team):
        ranks.rank = team.rank
        trainer = made(CONFIG, "rnn", team=team)
        return [(e.val_loss, e.best) for e in trainer if isinstance(e, Evaluation)]

    expected = [(3.0, True), (2.0, True), (2.5, False)]
    assert together(2, train) == [expected, expected]


def test_weights_that_drift_apart_end_the_run():
    def train(team):
        trainer = made(dataclasses.replace(CONFIG, iterations=150), "rnn", team=team)
        for event in trainer:
            if isinstance(event, Step) and event.iteration == 42 and team.rank == 1:
                trainer.model.parameters.flat[0] += 1e-6

    with pytest.raises(TeamError, match="the weights after 100 steps"):
        together(2, train)


def test_more_members_than_streams_are_an_error():
    with pytest.raises(UsageError, match="4 ranks cannot share a batch of 3"):
        together(4, lambda team: made(dataclasses.replace(CONFIG, batch_size=3), "rnn", team=team))


@pytest.mark.parametrize(
    ("before", "size", "threads", "noted"),
    [(2, 2, 1, False), (1, 2, 1, True), (4, 2, 2, True), (3, 1, 3, False)],
)
def test_going_on_with_other_slices_is_said(before, size, threads, noted):
    first = made(dataclasses.replace(CONFIG, threads=before), "gru")
    for event in first:
        if isinstance(event, Step) and event.iteration == 4:
            first.stop = True
    state = first.state()

    def go_on(team):
        trainer = made(dataclasses.replace(CONFIG, threads=threads), "gru", team=team)
        trainer.restore(*state)
        list(trainer)
        return trainer

    for trainer in together(size, go_on):
        assert any("not to the same bits" in note for note in trainer.notes) == noted
        if not noted:
            whole = made(dataclasses.replace(CONFIG, threads=before), "gru")
            list(whole)
            np.testing.assert_array_equal(
                trainer.model.parameters.flat, whole.model.parameters.flat
            )

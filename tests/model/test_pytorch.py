"""A saved model loads into PyTorch's modules and computes the same there."""

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra `bench` has it")
safetensors_torch = pytest.importorskip("safetensors.torch")

V, H, L, T, B = 11, 16, 2, 7, 3


class Peer(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        kind = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]
        self.rnn = kind(V, H, L)
        self.out = torch.nn.Linear(H, V)

    def forward(self, ids):
        x = torch.nn.functional.one_hot(ids, V).to(self.out.weight.dtype)
        return self.out(self.rnn(x)[0])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-8)])
def test_parity(tmp_path, cell, dtype, tolerance):
    rng = np.random.default_rng(0)
    model = CharRNN(
        V, H, cell, L, cell == "gru", dtype, rng, Vocabulary("abcdefghijk"), init="uniform"
    )
    model.save(tmp_path / "model.safetensors")
    peer = Peer(cell).to(getattr(torch, dtype))
    peer.load_state_dict(safetensors_torch.load_file(tmp_path / "model.safetensors"), strict=True)
    ids, targets = rng.integers(V, size=(2, T, B))
    logits, _ = model.forward(ids)
    _, gradients = model.backward(targets)
    theirs = peer(torch.from_numpy(ids))
    torch.nn.functional.cross_entropy(
        theirs.reshape(-1, V), torch.from_numpy(targets).reshape(-1)
    ).backward()
    np.testing.assert_allclose(logits, theirs.detach().numpy(), rtol=0, atol=tolerance)
    for name, parameter in peer.named_parameters():
        np.testing.assert_allclose(gradients[name], parameter.grad.numpy(), rtol=0, atol=tolerance)

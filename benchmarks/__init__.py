"""What char_rnn costs, measured beside its peers: `python -m benchmarks` runs all of it."""

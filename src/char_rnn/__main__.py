"""`python -m char_rnn`: the same as `char-rnn`."""

from char_rnn.cli.main import main

if __name__ == "__main__":
    main()

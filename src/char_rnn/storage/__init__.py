"""Files that survive a kill, and files that are safe to open whoever made them.

atomic          write a file so that it is either the old one or the new one, never half of each
reading         read a file under a limit, with every failure as one line
fields          what may stand in a file, and the one reader that holds it against that
arrays          arrays of numbers as files hold them
tensors         named arrays and facts in one safetensors file, with a checksum
pickles         a dictionary of plain data (plain) in a `.pkl` file, read without ever running it
                (pickle_machine)
finite          numbers that JSON has a word for
models          which file a model is in, and what it holds
"""

from char_rnn.storage.atomic import (
    check_folder,
    check_writable,
    remove_leftovers,
    replacing,
    write_bytes,
    write_json,
    write_text,
)
from char_rnn.storage.pickles import load_pickle, save_pickle
from char_rnn.storage.reading import StrPath, read_bytes, read_json
from char_rnn.storage.tensors import load_tensors, read_facts, save_tensors

__all__ = [
    "StrPath",
    "check_folder",
    "check_writable",
    "load_pickle",
    "load_tensors",
    "read_bytes",
    "read_facts",
    "read_json",
    "remove_leftovers",
    "replacing",
    "save_pickle",
    "save_tensors",
    "write_bytes",
    "write_json",
    "write_text",
]

# Replaces a file as the README of atomicwrites shows.
from atomicwrites import atomic_write

with atomic_write("state/file", overwrite=True) as f:
    f.write("new text\n")
print("written", flush=True)

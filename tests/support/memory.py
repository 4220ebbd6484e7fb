"""A program that finds no memory at one place; see memory.c.

    memory = Memory(stack.api)    # before it starts
    with memory.without("copy"): ...
"""
import contextlib
import os
import subprocess

import programs
import servers

_library = None


def library():
    """memory.c, compiled once a process."""
    global _library
    if _library is None:
        path = os.path.join(servers.temporary_folder(), "memory.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "memory.c")
        subprocess.run([os.environ.get("CC") or "gcc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"],
                       check=True, stdin=subprocess.DEVNULL)
        _library = path
    return _library


class Memory:
    def __init__(self, program):
        self.folder = servers.temporary_folder()
        options = os.environ.get("ASAN_OPTIONS", programs.SANITIZER_ENV["ASAN_OPTIONS"])
        program.env.update({"LD_PRELOAD": library(), "ALICERCE_MEMORY": self.folder,
                            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"})

    @contextlib.contextmanager
    def without(self, place):
        path = os.path.join(self.folder, place)
        with open(path, "w", encoding="ascii"):
            pass
        try:
            yield
        finally:
            os.unlink(path)

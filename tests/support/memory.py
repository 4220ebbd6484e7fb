"""A program that finds no memory at one place; see memory.c.

    memory = Memory(stack.api)    # before it starts
    with memory.without("copy"): ...
"""
import contextlib
import os

import preload
import programs
import servers


class Memory:
    def __init__(self, program):
        self.folder = servers.temporary_folder()
        options = os.environ.get("ASAN_OPTIONS", programs.SANITIZER_ENV["ASAN_OPTIONS"])
        program.env.update({"LD_PRELOAD": preload.library("memory"), "ALICERCE_MEMORY": self.folder,
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

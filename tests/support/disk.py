"""A disk that is slow or full, for one of the servers here; see disk.c. Needs no rights and no room.

    disk = Disk(stack.pg)     # before it starts
    disk.fill(); disk.free()  # PostgreSQL's tables cannot grow: SQLSTATE 53100
    disk.slow(1500)           # each fsync takes so many milliseconds more; 0: no more
"""
import contextlib
import os

import preload
import servers
import wire


class Disk:
    def __init__(self, server):
        self.folder = servers.temporary_folder()
        usual = server.environment
        server.environment = lambda: {**usual(), "LD_PRELOAD": preload.library("disk"), "ALICERCE_DISK": self.folder}

    def _switch(self, name, text):
        path = os.path.join(self.folder, name)
        if text is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def fill(self):
        self._switch("full", "")

    def free(self):
        self._switch("full", None)

    def slow(self, milliseconds):
        self._switch("slow", str(milliseconds) if milliseconds else None)


def leave_no_room(disk, pg):
    """Fills the disk and uses up what is free inside the files of `entregas`, so that each insert into it
    needs a page and is refused. The vacuum tells where there is room; the rows are small and committed, or a
    later look at their page might clear them away; of their indexes only the key's has a part in every insert."""
    pg.query("VACUUM entregas", timeout=20)
    disk.fill()
    with contextlib.suppress(wire.WireError), pg.session(timeout=20) as session:
        session.query("DO $$ BEGIN FOR i IN 1..100000 LOOP INSERT INTO entregas (recebida_em, via, corpo, estado)"
                      " VALUES (now(), 'direta', '', 'processada'); COMMIT; END LOOP; END $$")

"""Files in a folder (STORAGE_DIR)."""
import contextlib
import time

import client
import filecases
from filecases import Arquivos

setUpModule, tearDownModule = filecases.shared(filecases.Folder)
Keeping, Refusals, Listing, Clients = filecases.cases(__name__)


class Late(Arquivos):
    def test_one_that_is_refused_late_is_told_why(self):
        """After the half minute that other bodies have: planted, it was told 408 for a type that is not taken."""
        piece = b"11170\r\n" + b"\x00\x01" * 35000 + b"\r\n"
        with self.connect(timeout=30) as c:
            c.send(client.head("POST", "/api/arquivos?nome=a.bin", {**self.admin(), "Transfer-Encoding": "chunked"}))
            for _ in range(2):
                c.send(b"4\r\n\x00\x01\x00\x01\r\n")
                time.sleep(15.5)
            with contextlib.suppress(OSError):
                for _ in range(8):
                    c.send(piece)
            self.assertStatus(c.read(), 415)

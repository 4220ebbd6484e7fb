"""`make run` as root in a folder that the servers' user may not enter: its data lies under /var/tmp."""
import contextlib
import hashlib
import io
import os
import shutil
import tempfile
import unittest
from unittest import mock

import stack


@unittest.skipUnless(os.geteuid() == 0, "only root's servers run as somebody else")
class DataElsewhere(unittest.TestCase):
    def setUp(self):
        closed = tempfile.mkdtemp()  # 0700
        self.addCleanup(shutil.rmtree, closed)
        self.home = os.path.join(closed, ".run")
        os.mkdir(self.home)
        name = hashlib.sha256(self.home.encode()).hexdigest()[:12]
        self.elsewhere = f"/var/tmp/alicerce-{name}"
        self.addCleanup(shutil.rmtree, self.elsewhere, ignore_errors=True)
        self.settings = os.path.join(self.home, "settings.json")

    def data_folder(self):
        with mock.patch.multiple(stack, HOME=self.home, SETTINGS=self.settings), \
                contextlib.redirect_stdout(io.StringIO()) as told:
            folder = stack.data_folder()
        self.assertIn(self.elsewhere, told.getvalue())
        return folder

    def keep_something(self):
        self.assertEqual(self.data_folder(), self.elsewhere)
        os.makedirs(os.path.join(self.elsewhere, "postgres"))
        with open(os.path.join(self.elsewhere, "redis.conf"), "w", encoding="utf-8") as f:
            f.write("requirepass of the first run")

    def test_it_is_kept_between_runs(self):
        self.keep_something()
        with open(self.settings, "w", encoding="utf-8") as f:
            f.write("{}")
        self.data_folder()
        self.assertEqual(sorted(os.listdir(self.elsewhere)), ["postgres", "redis.conf"])

    def test_it_goes_with_dot_run(self):
        """It stayed, with passwords that nobody knew any more, and no later `make run` could start."""
        self.keep_something()
        self.data_folder()
        self.assertEqual(os.listdir(self.elsewhere), [])

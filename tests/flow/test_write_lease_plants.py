"""The checks of the write lease see the bugs that are planted in build/plant/."""
import unittest

import lease_rules
from plants import plant
import rules


class PlantedBugs(unittest.TestCase):
    def test_a_page_stored_under_a_mark_is_seen(self):
        with rules.HeldStack(binaries=plant("fill-under-mark")) as held:
            self.assertIsNotNone(lease_rules.page_is_stored_under_a_mark(held, tries=20))

    def test_an_answer_before_a_mark_stands_is_seen(self):
        with rules.HeldStack(binaries=plant("lease-unasked")) as held:
            self.assertIsNotNone(lease_rules.write_is_answered_without_a_mark(held))

    def test_a_dead_writers_mark_that_stays_is_seen(self):
        with rules.HeldStack(binaries=plant("mark-for-ever")) as held:
            self.assertIsNotNone(lease_rules.dead_writers_mark_stays(held))

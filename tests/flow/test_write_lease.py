"""Writes without a pause are answered under a mark in Redis, without removing the cached page each time; that
page stays true and readers keep their cache. That these checks can fail: test_write_lease_plants."""
import unittest

import lease_rules
import rules


class TheRealProgram(unittest.TestCase):
    def test_keeps_the_rules(self):
        with rules.HeldStack() as held:
            for check in lease_rules.ALL:
                held.straight.restart()  # a lease that had to cool need not be waited for
                held.straight.wait_serving()
                with self.subTest(check.__name__):
                    self.assertIsNone(check(held))

"""python3 -m unittest"""

import unittest

from hotcell import Problem
from task import Line, Order, price


class Pricing(unittest.TestCase):
    def test_a_coupon_takes_off_a_tenth(self):
        receipt = price(Order("O-1", [Line("A-1", 2, 1_999)], "TENTH"))
        self.assertEqual(receipt.total, 3_599)

    def test_an_order_without_lines_is_refused(self):
        with self.assertRaises(Problem) as refused:
            price(Order("O-1", []))
        self.assertEqual(refused.exception.status, 422)

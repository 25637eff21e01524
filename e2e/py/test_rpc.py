"""Functions with the `postgrest` package from PyPI."""

from postgrest.exceptions import APIError
from postgrest.types import CountMethod

from shop import ShopCase


class Functions(ShopCase):
    def test_arguments_in_a_body_and_in_the_query_string(self) -> None:
        for options in ({}, {"get": True}):
            with self.subTest(options):
                rows = self.anon.rpc("similar_products", {"product_id": 2}, **options).execute().data
                self.assertTrue(rows)
                self.assertTrue(all(row["id"] != 2 for row in rows))

    def test_results_are_filtered_and_ordered(self) -> None:
        query = self.anon.rpc("best_sellers", {"most": 100}).select("product_id,pieces,products(name)")
        rows = query.gte("pieces", 2).order("product_id", desc=True).execute().data
        ids = [row["product_id"] for row in rows]
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertTrue(all(row["pieces"] >= 2 and row["products"]["name"] for row in rows))

    def test_counts(self) -> None:
        answer = self.anon.rpc("best_sellers", {"most": 3}, count=CountMethod.exact).execute()
        self.assertEqual((answer.count, len(answer.data)), (3, 3))
        head = self.anon.rpc("best_sellers", {"most": 3}, count=CountMethod.exact, head=True).execute()
        self.assertEqual(head.count, 3)

    def test_writing(self) -> None:
        open_orders = self.owner.from_("orders").select("id").in_("status", ["new", "paid"]).execute().data
        order = open_orders[0]["id"]
        rows = self.owner.rpc("cancel_order", {"order_id": order}).execute().data
        self.assertEqual([(row["id"], row["status"]) for row in rows], [(order, "cancelled")])

    def test_errors(self) -> None:
        for function, arguments, code in [
            ("best_selers", {}, "PGRST202"),
            ("similar_products", {"product_id": "x"}, "22P02"),
            ("cancel_order", {"order_id": 1}, "42501"),
        ]:
            with self.subTest(function), self.assertRaises(APIError) as caught:
                self.anon.rpc(function, arguments).execute()
            self.assertEqual(caught.exception.code, code)

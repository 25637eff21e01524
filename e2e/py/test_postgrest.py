"""The `postgrest` package from PyPI: reads, embeds, counts, writes, and the errors it raises."""

from postgrest.exceptions import APIError
from postgrest.types import CountMethod

from shop import ShopCase


def ids(answer) -> list[int]:
    return [row["id"] for row in answer.data]


class Reading(ShopCase):
    def products(self):
        return self.anon.from_("products").select("id").order("id")

    def test_filters_pick_these_products(self) -> None:
        cases = [
            ("eq", lambda q: q.eq("slug", "trowel"), [6]),
            ("neq", lambda q: q.neq("available", "true"), [10]),
            ("gt", lambda q: q.gt("price", 64), [2, 10]),
            ("gte", lambda q: q.gte("price", "64.00"), [2, 4, 10]),
            ("lt", lambda q: q.lt("price", 18.25), [1]),
            ("lte", lambda q: q.lte("price", 18.25), [1, 6]),
            ("like", lambda q: q.like("name", "%pan"), [4, 5, 10]),
            ("ilike", lambda q: q.ilike("name", "crêpe%"), [5]),
            ("is null", lambda q: q.is_("weight_kg", "null"), [9]),
            ("in", lambda q: q.in_("name", ["Chef's knife", "a,b(c)", "Trowel"]), [2, 6]),
            ("contains", lambda q: q.contains("tags", ["steel", "small"]), [1]),
            ("contained by", lambda q: q.contained_by("tags", ["steel", "small"]), [1, 2, 5, 7, 9]),
            ("overlaps", lambda q: q.ov("tags", ["iron", "linen"]), [4, 8]),
            ("not", lambda q: q.not_.in_("id", [1, 2, 3, 4, 5, 6, 7]), [8, 9, 10]),
            ("or", lambda q: q.or_("id.eq.1,and(price.gt.60,available.is.true)"), [1, 2, 4]),
            ("match", lambda q: q.match({"available": "true", "price": "44.00"}), [7]),
        ]
        for name, narrow, expected in cases:
            with self.subTest(name):
                self.assertEqual(ids(narrow(self.products()).execute()), expected)

    def test_a_range_is_counted(self) -> None:
        answer = self.anon.from_("products").select("id", count=CountMethod.exact).order("id").range(2, 4).execute()
        self.assertEqual(ids(answer), [3, 4, 5])
        self.assertEqual(answer.count, 10)

    def test_one_row_or_an_error(self) -> None:
        one = self.anon.from_("products").select("name").eq("id", 9).single().execute()
        self.assertEqual(one.data, {"name": "Gift card"})
        with self.assertRaises(APIError) as caught:
            self.anon.from_("products").select("name").single().execute()
        self.assertEqual(caught.exception.code, "PGRST116")

    def test_maybe_one_row(self) -> None:
        found = self.anon.from_("products").select("name").eq("id", 9).maybe_single().execute()
        self.assertEqual(found.data, {"name": "Gift card"})
        self.assertIsNone(self.anon.from_("products").select("name").eq("id", 99).maybe_single().execute())

    def test_csv(self) -> None:
        text = self.owner.from_("orders").select("id,note").order("id").csv().execute().data
        self.assertEqual(text.splitlines()[0], "id,note")
        self.assertEqual(text.splitlines()[4], '4,"Ordered twice, sorry"')

    def test_embeds_of_each_kind(self) -> None:
        order = (
            self.owner.from_("orders")
            .select("id, customers!customer_id(name), order_lines(quantity, products(name, categories(name)))")
            .eq("id", 4)
            .single()
            .execute()
        )
        self.assertEqual(
            order.data,
            {
                "id": 4,
                "customers": {"name": "千恵 佐藤"},
                "order_lines": [
                    {"quantity": 1, "products": {"name": "Cast iron pan", "categories": [{"name": "Pans"}]}}
                ],
            },
        )

    def test_an_inner_join_drops_parents(self) -> None:
        answer = (
            self.owner.from_("customers")
            .select("id, orders!customer_id!inner(id)")
            .eq("orders.status", "new")
            .order("id")
            .execute()
        )
        self.assertEqual(ids(answer), [2, 3])

    def test_order_and_limit_in_an_embed(self) -> None:
        answer = (
            self.owner.from_("customers")
            .select("id, orders!customer_id(id)")
            .order("id")
            .order("id", desc=True, foreign_table="orders")
            .limit(1, foreign_table="orders")
            .execute()
        )
        self.assertEqual([[order["id"] for order in row["orders"]] for row in answer.data], [[2], [3], [5], []])

    def test_what_is_closed_stays_closed(self) -> None:
        with self.assertRaises(APIError) as caught:
            self.anon.from_("orders").select("id").execute()
        self.assertEqual(caught.exception.code, "42501")

    def test_a_mistake_is_explained(self) -> None:
        with self.assertRaises(APIError) as caught:
            self.anon.from_("products").select("nope").execute()
        self.assertEqual(caught.exception.code, "42703")
        self.assertIn("nope", caught.exception.message)


class Writing(ShopCase):
    def product(self, slug: str, **more) -> dict:
        return {"slug": slug, "name": f"Thing {slug}", "price": "10.50", "added_on": "2026-07-01", **more}

    def test_insert_gives_the_row(self) -> None:
        row = self.owner.from_("products").insert(self.product("told")).execute().data[0]
        self.assertEqual((row["slug"], row["price"], row["available"]), ("told", 10.5, True))

    def test_many_rows_all_or_none(self) -> None:
        many = [self.product(f"many-{index}") for index in range(50)]
        self.assertEqual(len(self.owner.from_("products").insert(many).execute().data), 50)
        with self.assertRaises(APIError) as caught:
            self.owner.from_("products").insert([self.product("first"), self.product("trowel")]).execute()
        self.assertEqual(caught.exception.code, "23505")
        self.assertEqual(self.owner.from_("products").select("id").eq("slug", "first").execute().data, [])

    def test_upsert(self) -> None:
        settings = {"customer_id": 2, "language": "de"}
        self.owner.from_("customer_settings").upsert(settings).execute()
        row = self.owner.from_("customer_settings").upsert({**settings, "language": "fr"}).execute().data
        self.assertEqual(row, [{"customer_id": 2, "newsletter": False, "language": "fr"}])

    def test_upsert_by_a_unique_column(self) -> None:
        row = self.product("trowel", price="20.00")
        merged = self.owner.from_("products").upsert(row, on_conflict="slug").execute().data
        self.assertEqual([(row["id"], row["price"]) for row in merged], [(6, 20)])

    def test_update_and_delete(self) -> None:
        self.owner.from_("products").insert(self.product("short-lived")).execute()
        changed = self.owner.from_("products").update({"price": 12}).eq("slug", "short-lived").execute()
        self.assertEqual(changed.data[0]["price"], 12)
        gone = self.owner.from_("products").delete(count=CountMethod.exact).eq("slug", "short-lived").execute()
        self.assertEqual(gone.count, 1)

    def test_anybody_may_write_a_review(self) -> None:
        review = {"product_id": 1, "author": "E2E", "stars": 5}
        self.assertEqual(self.anon.from_("reviews").insert(review).execute().data[0]["stars"], 5)
        with self.assertRaises(APIError) as caught:
            self.anon.from_("reviews").delete().eq("author", "E2E").execute()
        self.assertEqual(caught.exception.code, "42501")

    def test_a_row_that_cannot_be_is_refused(self) -> None:
        cases = [
            ({"customer_id": 999}, "23503"),
            ({"customer_id": 1, "status": "lost"}, None),
            ({"customer_id": "x"}, "22P02"),
            ({"customer_id": 1, "nope": 1}, "PGRST204"),
        ]
        for row, code in cases:
            with self.subTest(row), self.assertRaises(APIError) as caught:
                self.owner.from_("orders").insert(row).execute()
            if code:
                self.assertEqual(caught.exception.code, code)

"""The client that openapi-generator makes for Python, against the running shop."""

import os
import unittest

import openapi_client as shop


def client(key: str) -> shop.ApiClient:
    settings = shop.Configuration(host=f"{os.environ['MAINSTAY_URL']}/rest/v1")
    settings.api_key["apikey"] = os.environ[key]
    return shop.ApiClient(settings)


class Shop(unittest.TestCase):
    def setUp(self) -> None:
        self.anon = client("MAINSTAY_PUBLISHABLE_KEY")
        self.owner = client("MAINSTAY_SECRET_KEY")

    def test_rows_are_listed_in_order(self) -> None:
        rows = shop.ProductsApi(self.anon).list_products(order="price.desc", limit=3)
        self.assertEqual(len(rows), 3)
        self.assertIsInstance(rows[0], shop.Products)
        prices = [float(row.price) for row in rows]
        self.assertEqual(prices, sorted(prices, reverse=True))

    def test_rows_are_filtered_and_counted(self) -> None:
        answer = shop.ProductsApi(self.anon).list_products_with_http_info(price="lt.20", select="id,price", prefer="count=exact")
        self.assertTrue(answer.data)
        self.assertTrue(all(float(row.price) < 20 for row in answer.data))
        self.assertRegex(answer.headers["content-range"], rf"^0-{len(answer.data) - 1}/{len(answer.data)}$")

    def test_a_row_is_inserted_and_comes_back(self) -> None:
        row = shop.ReviewsInsert(product_id=1, author="Ada", stars=5)
        back = shop.ReviewsApi(self.anon).insert_reviews(shop.InsertReviewsRequest(row), prefer="return=representation")
        self.assertEqual([(review.author, review.stars) for review in back], [("Ada", 5)])
        found = shop.ReviewsApi(self.anon).list_reviews(id=f"eq.{back[0].id}")
        self.assertEqual(len(found), 1)

    def test_several_rows_are_inserted_changed_and_deleted(self) -> None:
        api = shop.CategoriesApi(self.owner)
        rows = [shop.CategoriesInsert(id=800 + n, name=f"Made in Python {n}") for n in range(2)]
        api.insert_categories(shop.InsertCategoriesRequest(rows))
        api.update_categories(shop.UpdateCategoriesRequest(shop.CategoriesUpdate(name="Made anew")), id="eq.800")
        each = [shop.CategoriesUpdate(id=800, name="Made at last"), shop.CategoriesUpdate(id=801, name="And this")]
        api.update_categories(shop.UpdateCategoriesRequest(each), on_conflict="id")
        gone = api.delete_categories(id="gte.800", prefer="return=representation")
        self.assertEqual(sorted(row.name for row in gone), ["And this", "Made at last"])

    def test_functions_are_called_by_a_url_by_a_body_and_by_a_query_in_a_body(self) -> None:
        api = shop.RpcApi(self.anon)
        rows = api.get_best_sellers(most=2)
        self.assertEqual(len(rows), 2)
        self.assertEqual(api.call_best_sellers(best_sellers_arguments=shop.BestSellersArguments(most=2)), rows)
        self.assertEqual(api.ask_best_sellers(most=2), rows)

    def test_a_mistake_is_an_error_with_its_code(self) -> None:
        with self.assertRaises(shop.ApiException) as caught:
            shop.ProductsApi(self.anon).list_products(price="lt.cheap")
        self.assertEqual(caught.exception.status, 400)
        self.assertEqual(caught.exception.data.code, "22P02")
        with self.assertRaises(shop.ApiException) as caught:
            shop.OrdersApi(self.anon).list_orders()
        self.assertEqual((caught.exception.status, caught.exception.data.code), (401, "42501"))

    def test_what_the_description_forbids_is_not_even_sent(self) -> None:
        with self.assertRaises(ValueError):
            shop.ReviewsInsert(product_id=1, author="Ada", stars=6)

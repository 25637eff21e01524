"""XML answers against the XML Schemas that go with them, by libxml2."""

import subprocess
import urllib.request

from lxml import etree

from shop import ShopCase

TABLES = ["categories", "products", "customers", "customer_settings", "orders", "order_lines", "reviews"]


class Xml(ShopCase):
    def get(self, path: str, accept: str) -> bytes:
        request = urllib.request.Request(
            f"{self.url}/rest/v1/{path}", headers={"apikey": self.secret_key, "Accept": accept}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def post(self, path: str, body: bytes, content_type: str) -> int:
        request = urllib.request.Request(
            f"{self.url}/rest/v1/{path}",
            data=body,
            method="POST",
            headers={"apikey": self.secret_key, "Content-Type": content_type},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status

    def valid(self, path: str, accept: str = "application/xml") -> etree._Element:
        """The document, which its own schema must accept."""
        schema = etree.XMLSchema(etree.fromstring(self.get(path, "application/xml;schema=xsd")))
        document = etree.fromstring(self.get(path, accept))
        schema.assertValid(document)
        return document

    def test_every_table_is_valid(self) -> None:
        for table in TABLES:
            with self.subTest(table):
                self.assertGreater(len(self.valid(table)), 0)
                self.valid(table, "application/xml;nulls=stripped")
                self.valid(f"{table}?limit=1", "application/vnd.pgrst.object+xml")
                printed = subprocess.run(
                    [self.program, "schema", "--xsd", table, self.project], check=True, capture_output=True
                )
                schema = etree.XMLSchema(etree.fromstring(printed.stdout))
                schema.assertValid(etree.fromstring(self.get(table, "application/xml")))

    def test_embeds_aliases_and_casts_are_valid(self) -> None:
        orders = self.valid(
            "orders?select=nr:id::text,buyer:customers!customer_id(name),order_lines(line,products(name,tags))&order=id"
        )
        self.assertEqual(orders.findtext("row/buyer/name"), "Ana Souza")
        self.assertIsNotNone(orders.find("row/order_lines/row/products/tags/item"))

    def test_a_schema_refuses_what_is_not_a_row(self) -> None:
        schema = etree.XMLSchema(etree.fromstring(self.get("categories", "application/xml;schema=xsd")))
        self.assertFalse(schema.validate(etree.fromstring("<rows><row><id>one</id></row></rows>")))
        self.assertFalse(schema.validate(etree.fromstring("<rows><row><nope>1</nope></row></rows>")))

    def test_text_that_xml_cannot_hold_is_valid(self) -> None:
        body = rb'{"product_id": 1, "author": "Ctrl \u0001\r\n <&>", "stars": 3}'
        self.assertEqual(self.post("reviews", body, "application/json"), 201)
        row = self.valid("reviews?select=author&author=like.Ctrl*", "application/xml").find("row/author")
        self.assertEqual(row.get("encoding"), "base64")

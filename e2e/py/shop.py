"""The `postgrest` package as clients of a running shop."""

from postgrest import SyncPostgrestClient

from server import ServerCase


class ShopCase(ServerCase):
    """Tests of one class share a running shop with its seed, and a client for each of its keys."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.anon = cls.client(cls.publishable_key)
        cls.owner = cls.client(cls.secret_key)

    @classmethod
    def client(cls, key: str) -> SyncPostgrestClient:
        client = SyncPostgrestClient(f"{cls.url}/rest/v1", headers={"apikey": key})
        cls.addClassCleanup(client.aclose)
        return client

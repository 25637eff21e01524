# Made by `mainstay types` from the schema; made anew when the schema changes.

from typing import Any, Literal, NotRequired, TypedDict

# * / ? > <% " ''' ⧵ ${x} #{y}
MyOrders = TypedDict(
    "MyOrders",
    {
        "class": int,
        "first word": str | None,
        "first_word": Literal["a b", "A-B", "", "1", "$x", "#{1}", "'\"\\"] | None,
        "größe": float,
        "self": Any,
        "def": list[int],
        "record": str,
        "ISBN$": str | None,
    },
)

# A new row of `my orders`.
MyOrdersInsert = TypedDict(
    "MyOrdersInsert",
    {
        "class": int,
        "first word": NotRequired[str | None],
        "first_word": NotRequired[Literal["a b", "A-B", "", "1", "$x", "#{1}", "'\"\\"] | None],
        "größe": float,
        "self": Any,
        "def": list[int],
        "record": NotRequired[str],
        "ISBN$": NotRequired[str | None],
    },
)

# What to change in rows of `my orders`.
MyOrdersUpdate = TypedDict(
    "MyOrdersUpdate",
    {
        "class": NotRequired[int],
        "first word": NotRequired[str | None],
        "first_word": NotRequired[Literal["a b", "A-B", "", "1", "$x", "#{1}", "'\"\\"] | None],
        "größe": NotRequired[float],
        "self": NotRequired[Any],
        "def": NotRequired[list[int]],
        "record": NotRequired[str],
        "ISBN$": NotRequired[str | None],
    },
)

# A row of `my_orders`.
MyOrders2 = TypedDict(
    "MyOrders2",
    {
        "id": int,
    },
)

# A new row of `my_orders`.
MyOrders2Insert = TypedDict(
    "MyOrders2Insert",
    {
        "id": int,
    },
)

# What to change in rows of `my_orders`.
MyOrders2Update = TypedDict(
    "MyOrders2Update",
    {
        "id": NotRequired[int],
    },
)

# A row of `class`.
ClassRow = TypedDict(
    "ClassRow",
    {
        "id": str,
        "type": int | None,
    },
)

# A new row of `class`.
ClassRowInsert = TypedDict(
    "ClassRowInsert",
    {
        "id": str,
        "type": NotRequired[int | None],
    },
)

# What to change in rows of `class`.
ClassRowUpdate = TypedDict(
    "ClassRowUpdate",
    {
        "id": NotRequired[str],
        "type": NotRequired[int | None],
    },
)

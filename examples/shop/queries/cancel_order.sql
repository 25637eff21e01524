--- description = "Cancels an order that was not shipped yet, and gives it back."
--- writes = true
--- params.order_id = "int"
--- returns = "orders"

UPDATE orders SET status = 'cancelled'
WHERE id = :order_id AND status IN ('new', 'paid')
RETURNING *;

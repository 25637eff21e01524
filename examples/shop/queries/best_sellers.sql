--- description = "The products that sold most, by pieces."
--- access = true
--- params.since = { type = "date", default = 2020-01-01 }
--- params.most = { type = "int", default = 5, min = 1, max = 100 }
--- returns.fields.product_id = { ref = "products", primary = true }
--- returns.fields.pieces = "bigint"
--- returns.fields.turnover = "decimal(12,2)"

SELECT l.product_id, sum(l.quantity) AS pieces, sum(l.quantity * l.unit_price) AS turnover
FROM order_lines AS l
JOIN orders AS o ON o.id = l.order_id
WHERE o.placed_at >= :since AND o.status <> 'cancelled'
GROUP BY l.product_id
ORDER BY pieces DESC, turnover DESC
LIMIT :most;

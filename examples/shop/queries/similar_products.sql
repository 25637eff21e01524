--- description = "Products that share a category with this one."
--- access = true
--- params.product_id = "int"
--- returns = "products"

SELECT DISTINCT p.*
FROM product_categories AS mine
JOIN product_categories AS theirs ON theirs.category_id = mine.category_id
JOIN products AS p ON p.id = theirs.product_id
WHERE mine.product_id = :product_id AND p.id <> :product_id
ORDER BY p.name;

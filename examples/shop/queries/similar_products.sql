--- description = "Products that share a category with this one."
--- access = true
--- params.product_id = "int"
--- returns = "products"

SELECT p.*
FROM products AS p
WHERE p.id <> :product_id AND p.id IN (
  SELECT theirs.product_id
  FROM product_categories AS mine
  JOIN product_categories AS theirs ON theirs.category_id = mine.category_id
  WHERE mine.product_id = :product_id
)
ORDER BY p.name;

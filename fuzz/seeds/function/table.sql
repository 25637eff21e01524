--- returns = "customers"
--- rows = "one"
--- params.a = { enum = ["x","y"], default = "x" }
SELECT 1 AS [id], ':b' AS "name" WHERE :a = 'x'
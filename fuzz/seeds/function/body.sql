--- params.doc = "json"
--- body = "doc"
--- returns = "int"
-- a comment :no
SELECT json_array_length(:doc) /* ; */ ;
-- What the tables and views of the schema $1 are made of: the relation, a part of it, and how that part is.
WITH relations AS (
  SELECT c.oid, c.relname, c.relkind FROM pg_class c
  WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v') AND c.relname NOT LIKE '\_mainstay%'
)
SELECT relname::text, 'is', CASE relkind WHEN 'v' THEN 'a view' ELSE 'a table' END FROM relations
UNION ALL
SELECT relname, 'column ' || attname,
  format_type(atttypid, atttypmod)
  || CASE WHEN attcollation <> 0 AND relkind <> 'v' THEN ' collate ' || (SELECT collname FROM pg_collation WHERE oid = attcollation) ELSE '' END
  || CASE WHEN attnotnull THEN ' not null' ELSE '' END
  || CASE WHEN attidentity <> '' THEN ' counted' WHEN atthasdef THEN coalesce(' default ' || pg_get_expr(adbin, adrelid), '') ELSE '' END
FROM relations JOIN pg_attribute a ON attrelid = oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
UNION ALL
SELECT relname, 'constraint ' || conname, pg_get_constraintdef(k.oid, true)
FROM relations JOIN pg_constraint k ON conrelid = relations.oid AND contype IN ('p', 'u', 'f', 'c')
UNION ALL
SELECT relations.relname, 'index ' || i.relname, pg_get_indexdef(i.oid, 0, true)
FROM relations JOIN pg_index x ON indrelid = relations.oid JOIN pg_class i ON i.oid = indexrelid
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid)
UNION ALL
SELECT relname, 'trigger ' || tgname, pg_get_triggerdef(t.oid, true)
FROM relations JOIN pg_trigger t ON tgrelid = relations.oid AND NOT tgisinternal
UNION ALL
SELECT relname, 'query', pg_get_viewdef(oid, true) FROM relations WHERE relkind = 'v'

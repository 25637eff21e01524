-- Columns of the relations of the exposed schemas ($1), in their order.
WITH RECURSIVE
chain (domain, below, modifier) AS (
  SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT chain.domain, t.typbasetype, t.typtypmod
  FROM chain JOIN pg_type t ON t.oid = chain.below AND t.typtype = 'd'
),
domains AS (
  SELECT chain.domain, chain.below, chain.modifier
  FROM chain JOIN pg_type t ON t.oid = chain.below AND t.typtype <> 'd'
),
enums AS (
  SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels FROM pg_enum GROUP BY enumtypid
)
SELECT a.attrelid, a.attnum, a.attname, d.description,
  NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)),
  format_type(base.oid, NULL),
  format_type(a.atttypid, a.atttypmod),
  -- As the description shows it: types of the system without what stands in parentheses.
  CASE
    WHEN t.typtype = 'd' AND base.typnamespace = 'pg_catalog'::regnamespace THEN format_type(base.oid, NULL)
    WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(t.oid, NULL)
    ELSE format_type(a.atttypid, a.atttypmod)
  END,
  CASE base.oid
    WHEN 'bpchar'::regtype THEN nullif(own.modifier, -1) - 4
    WHEN 'varchar'::regtype THEN nullif(own.modifier, -1) - 4
    WHEN 'bit'::regtype THEN nullif(own.modifier, -1)
    WHEN 'varbit'::regtype THEN nullif(own.modifier, -1)
  END,
  CASE
    WHEN a.attidentity = 'd' THEN (
      SELECT format('nextval(%L)', s.objid::regclass)
      FROM pg_depend s
      WHERE s.refclassid = 'pg_class'::regclass AND s.refobjid = a.attrelid AND s.refobjsubid = a.attnum
        AND s.classid = 'pg_class'::regclass AND s.deptype = 'i'
      LIMIT 1)
    WHEN a.attidentity = 'a' OR a.attgenerated <> '' THEN NULL
    WHEN f.adbin IS NOT NULL THEN pg_get_expr(f.adbin, f.adrelid)
    WHEN t.typtype = 'd' AND t.typdefaultbin IS NOT NULL THEN pg_get_expr(t.typdefaultbin, 0)
  END,
  enums.labels,
  base.typtype = 'c' OR base.typcategory = 'A'
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN domains ON domains.domain = t.oid
JOIN pg_type base ON base.oid = coalesce(domains.below, t.oid)
CROSS JOIN LATERAL (SELECT coalesce(domains.modifier, a.atttypmod) AS modifier) AS own
LEFT JOIN enums ON enums.enumtypid = base.oid
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
ORDER BY a.attrelid, a.attnum

-- Types ($1), each with what modifies it in its column ($2): far fewer than there are columns.
WITH RECURSIVE
used (id, modifier) AS (SELECT * FROM unnest($1::oid[], $2::int4[])),
chain (id, modifier, below, modifier_below) AS (
  SELECT id, modifier, id, modifier FROM used
  UNION ALL
  SELECT chain.id, chain.modifier, t.typbasetype, t.typtypmod
  FROM chain JOIN pg_type t ON t.oid = chain.below AND t.typtype = 'd'
)
SELECT t.oid, chain.modifier,
  t.typtype = 'd' AND t.typnotnull,
  format_type(base.oid, NULL),
  format_type(t.oid, chain.modifier),
  -- As the description shows it: types of the system without what stands in parentheses.
  CASE
    WHEN t.typtype = 'd' AND base.typnamespace = 'pg_catalog'::regnamespace THEN format_type(base.oid, NULL)
    WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(t.oid, NULL)
    ELSE format_type(t.oid, chain.modifier)
  END,
  CASE
    WHEN base.oid IN ('bpchar'::regtype, 'varchar'::regtype) THEN nullif(chain.modifier_below, -1) - 4
    WHEN base.oid IN ('bit'::regtype, 'varbit'::regtype) THEN nullif(chain.modifier_below, -1)
  END,
  CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END,
  (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = base.oid),
  base.typtype = 'c' OR base.typcategory = 'A'
FROM chain
JOIN pg_type base ON base.oid = chain.below AND base.typtype <> 'd'
JOIN pg_type t ON t.oid = chain.id

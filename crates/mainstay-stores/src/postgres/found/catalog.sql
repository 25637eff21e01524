-- Everything that is to be known of the tables of one schema ($1), as one JSON document: one round trip, one snapshot.
-- What is told comes as lists, in the order of the fields in `catalog.rs`: names for them would be most of the document.
-- Functions that open a relation are called for few: with ten thousand tables that would take longer than all the rest.
WITH RECURSIVE
relations AS (
  SELECT c.oid, c.relname, c.relkind,
         -- Tables take every write.
         CASE WHEN c.relkind IN ('r', 'p') THEN 28 ELSE pg_relation_is_updatable(c.oid, true) END AS updatable,
         d.description,
         EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS has_triggers
  FROM pg_class c
  LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
  WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
),
chain (domain, below) AS (
  SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT chain.domain, b.typbasetype FROM chain JOIN pg_type b ON b.oid = chain.below AND b.typtype = 'd'
),
domains AS (
  SELECT chain.domain, chain.below FROM chain JOIN pg_type b ON b.oid = chain.below AND b.typtype <> 'd'
),
columns AS (
  SELECT a.attrelid, json_agg(json_build_array(
    a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), base.typname, basespace.nspname, base.typtype,
    CASE WHEN t.typtype = 'd' THEN coalesce(nullif(t.typtypmod, -1), a.atttypmod) ELSE a.atttypmod END,
    item.typname, item.typtype,
    a.attnotnull OR (t.typtype = 'd' AND t.typnotnull),
    -- A default names no column, so the relation need not be opened.
    CASE WHEN a.atthasdef AND a.attgenerated = '' THEN pg_get_expr(d.adbin, 0) ELSE t.typdefault END,
    a.attidentity, a.attgenerated <> '', about.description,
    CASE WHEN base.typtype = 'e' THEN (
      SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = base.oid) END
  ) ORDER BY a.attnum) AS list
  FROM pg_attribute a
  JOIN relations r ON r.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN domains ON domains.domain = t.oid
  JOIN pg_type base ON base.oid = coalesce(domains.below, t.oid)
  JOIN pg_namespace basespace ON basespace.oid = base.typnamespace
  LEFT JOIN pg_type item ON item.oid = base.typelem AND base.typcategory = 'A'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_description about
    ON about.classoid = 'pg_class'::regclass AND about.objoid = a.attrelid AND about.objsubid = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid
),
constraints AS (
  SELECT k.conrelid, json_agg(json_build_array(
    k.conname, k.contype, k.conkey, k.confrelid::bigint, k.confkey, k.confdeltype, k.confupdtype
  ) ORDER BY k.contype, k.conname) AS list
  FROM pg_constraint k JOIN relations r ON r.oid = k.conrelid
  WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0
  GROUP BY k.conrelid
),
indexes AS (
  SELECT i.indrelid, json_agg(json_build_array(
    c.relname, i.indisunique, i.indkey::int2[], i.indoption::int2[]
  ) ORDER BY c.relname) AS list
  FROM pg_index i JOIN relations r ON r.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am m ON m.oid = c.relam
  WHERE i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND m.amname = 'btree'
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u'))
  GROUP BY i.indrelid
)
SELECT json_build_object(
  'tables', coalesce((
    SELECT json_agg(json_build_array(
      r.oid::bigint, r.relname, r.relkind, r.updatable, r.description, r.has_triggers,
      coalesce(columns.list, '[]'), coalesce(constraints.list, '[]'), coalesce(indexes.list, '[]'),
      CASE WHEN r.relkind IN ('v', 'm') THEN (
        SELECT w.ev_action::text FROM pg_rewrite w WHERE w.ev_class = r.oid AND w.rulename = '_RETURN') END
    ) ORDER BY r.relname COLLATE "C")
    FROM relations r
    LEFT JOIN columns ON columns.attrelid = r.oid
    LEFT JOIN constraints ON constraints.conrelid = r.oid
    LEFT JOIN indexes ON indexes.indrelid = r.oid), '[]')
)::text

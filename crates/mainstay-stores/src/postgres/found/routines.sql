-- The functions and procedures of one schema ($1) that this user may call, as one JSON document. Those of extensions, those
-- that a type brings along, and those that only triggers call are left out.
WITH RECURSIVE
routines AS (
  SELECT p.oid, p.proname, p.prokind, p.proretset, p.provolatile, p.prorettype, p.proargnames,
         p.proargmodes, coalesce(p.proallargtypes, p.proargtypes::oid[]) AS types
  FROM pg_proc p
  WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND p.prokind IN ('f', 'p')
    AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND has_function_privilege(p.oid, 'EXECUTE')
    AND NOT EXISTS (
      SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
),
chain (domain, below) AS (
  SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT chain.domain, b.typbasetype FROM chain JOIN pg_type b ON b.oid = chain.below AND b.typtype = 'd'
),
domains AS (
  SELECT chain.domain, chain.below FROM chain JOIN pg_type b ON b.oid = chain.below AND b.typtype <> 'd'
),
-- The tables and composite types whose rows are given.
given AS (
  SELECT r.oid, base.typrelid AS relation
  FROM routines r
  LEFT JOIN domains ON domains.domain = r.prorettype
  JOIN pg_type base ON base.oid = coalesce(domains.below, r.prorettype)
),
fields AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod
  FROM pg_attribute a
  WHERE a.attrelid IN (SELECT relation FROM given WHERE relation <> 0) AND a.attnum > 0 AND NOT a.attisdropped
),
used (type) AS (
  SELECT prorettype FROM routines UNION SELECT unnest(types) FROM routines UNION SELECT atttypid FROM fields
),
types AS MATERIALIZED (
  SELECT t.oid, t.typtypmod AS modifier, jsonb_build_object(
    'declared', format_type(t.oid, -1),
    'base', base.typname, 'base_schema', basespace.nspname, 'kind', base.typtype,
    'modifier', t.typtypmod,
    'item', item.typname, 'item_kind', item.typtype,
    'required', false, 'identity', '', 'generated', false,
    'labels', CASE WHEN base.typtype = 'e' THEN (
      SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = base.oid) END
  ) AS about
  FROM used
  JOIN pg_type t ON t.oid = used.type
  LEFT JOIN domains ON domains.domain = t.oid
  JOIN pg_type base ON base.oid = coalesce(domains.below, t.oid)
  JOIN pg_namespace basespace ON basespace.oid = base.typnamespace
  LEFT JOIN pg_type item ON item.oid = base.typelem AND base.typcategory = 'A'
),
columns AS (
  SELECT fields.attrelid, jsonb_agg(types.about || jsonb_build_object(
    'number', fields.attnum, 'name', fields.attname, 'declared', format_type(fields.atttypid, fields.atttypmod),
    'modifier', coalesce(nullif(fields.atttypmod, -1), types.modifier)
  ) ORDER BY fields.attnum) AS list
  FROM fields JOIN types ON types.oid = fields.atttypid
  GROUP BY fields.attrelid
),
parameters AS (
  SELECT r.oid, jsonb_agg(types.about || jsonb_build_object(
    'number', a.number, 'name', coalesce(r.proargnames[a.number], ''), 'mode', coalesce(r.proargmodes[a.number], 'i'),
    'default', pg_get_function_arg_default(r.oid, a.number::int)
  ) ORDER BY a.number) AS list
  FROM routines r CROSS JOIN LATERAL unnest(r.types) WITH ORDINALITY AS a(type, number) JOIN types ON types.oid = a.type
  GROUP BY r.oid
)
SELECT coalesce(jsonb_agg(jsonb_build_object(
  'name', r.proname, 'is_procedure', r.prokind = 'p', 'gives_set', r.proretset, 'volatility', r.provolatile,
  'description', obj_description(r.oid, 'pg_proc'), 'relation', given.relation::bigint,
  'result', types.about || jsonb_build_object('number', 1, 'name', r.proname),
  'parameters', coalesce(parameters.list, '[]'), 'columns', coalesce(columns.list, '[]')
) ORDER BY r.proname COLLATE "C", r.oid), '[]')::text
FROM routines r
JOIN given ON given.oid = r.oid
JOIN types ON types.oid = r.prorettype
LEFT JOIN parameters ON parameters.oid = r.oid
LEFT JOIN columns ON columns.attrelid = given.relation

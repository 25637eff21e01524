-- Functions of the exposed schemas ($1) that can be called by names of parameters, or with one that has no name and takes
-- a whole body. No procedures, aggregates, window functions or trigger functions.
WITH RECURSIVE
chain (domain, below) AS (
  SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT chain.domain, t.typbasetype FROM chain JOIN pg_type t ON t.oid = chain.below AND t.typtype = 'd'
),
domains AS (
  SELECT chain.domain, chain.below FROM chain JOIN pg_type t ON t.oid = chain.below AND t.typtype <> 'd'
)
SELECT p.oid, n.nspname, p.proname, d.description, p.proretset, p.provolatile::text,
  p.provariadic <> 0,
  rn.nspname, r.typname,
  r.typtype = 'c' OR coalesce(p.proargmodes::text[] && '{o,b,t}', false),
  r.typrelid,
  coalesce(p.proconfig, '{}'),
  coalesce(given.names, '{}'), coalesce(given.types, '{}'), coalesce(given.casts, '{}'),
  (p.pronargs - p.pronargdefaults)::int4
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN domains ON domains.domain = p.prorettype
JOIN pg_type r ON r.oid = coalesce(domains.below, p.prorettype)
JOIN pg_namespace rn ON rn.oid = r.typnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid
LEFT JOIN LATERAL (
  SELECT
    array_agg(coalesce(p.proargnames[a.at], '') ORDER BY a.at) AS names,
    array_agg(format_type(a.ty, NULL) ORDER BY a.at) AS types,
    -- A cast to these without a length would mean a length of one.
    array_agg(CASE a.ty
      WHEN 'bit'::regtype THEN 'bit varying'
      WHEN 'bit[]'::regtype THEN 'bit varying[]'
      WHEN 'bpchar'::regtype THEN 'character varying'
      WHEN 'bpchar[]'::regtype THEN 'character varying[]'
      ELSE format_type(a.ty, NULL)
    END ORDER BY a.at) AS casts
  FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS a (ty, at)
  WHERE coalesce(p.proargmodes[a.at] IN ('i', 'b', 'v'), true)
) AS given ON true
WHERE n.nspname = ANY ($1::text[]) AND p.prokind = 'f' AND r.oid <> 'trigger'::regtype
  AND (p.proargnames IS NOT NULL OR p.pronargs = 0
    OR (p.pronargs = 1
      AND p.proargtypes[0] IN ('json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'xml'::regtype, 'bytea'::regtype)))

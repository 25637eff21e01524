-- What makes bodies of other media types: aggregates and functions of the exposed schemas ($1) that give a domain named
-- like a media type. An aggregate takes rows of one relation, or `anyelement`.
SELECT n.nspname, p.proname, lower(media.typname), p.prokind = 'a', source.oid
FROM pg_type media
JOIN pg_proc p ON p.prorettype = media.oid
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_class source ON source.reltype = p.proargtypes[0] AND source.relkind IN ('r', 'p', 'v', 'm', 'f')
WHERE media.typtype = 'd' AND (media.typname = '*/*' OR media.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
  AND n.nspname = ANY ($1::text[])
  AND (p.prokind = 'f'
    OR (p.prokind = 'a' AND p.pronargs = 1 AND (source.oid IS NOT NULL OR p.proargtypes[0] = 'anyelement'::regtype)))
ORDER BY n.nspname, p.proname

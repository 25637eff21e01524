-- Comments of the exposed schemas ($1).
SELECT n.nspname, d.description
FROM pg_namespace n
JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid
WHERE n.nspname = ANY ($1::text[])

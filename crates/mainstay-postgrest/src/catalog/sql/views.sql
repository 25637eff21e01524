-- The parsed queries of the views of the exposed schemas ($1), and of all views below them.
WITH RECURSIVE needed (id) AS (
  SELECT c.oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('v', 'm')
  UNION
  SELECT c.oid
  FROM needed
  JOIN pg_rewrite w ON w.ev_class = needed.id AND w.rulename = '_RETURN'
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm')
)
SELECT w.ev_class, w.ev_action::text
FROM needed JOIN pg_rewrite w ON w.ev_class = needed.id AND w.rulename = '_RETURN'

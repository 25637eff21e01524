-- One number that changes with everything that the other files read of the exposed schemas ($1): which transaction wrote
-- each entry, added up. No entry of the system itself ever changes, so those are left out by their numbers. Entries of
-- relations are written by TRUNCATE and GRANT too, so it is what they say that counts.
WITH exposed AS (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1::text[]))
SELECT coalesce(sum(hashint8extended(written::text::bigint * 31 + about, seed)), 0)::text FROM (
  SELECT xmin AS written, oid::bigint AS about, 1 AS seed FROM pg_namespace WHERE oid IN (SELECT oid FROM exposed)
  UNION ALL
  SELECT '0'::xid, hashtext(relname || relkind::text || relispartition::text) + oid::bigint, 2 FROM pg_class
  WHERE relnamespace IN (SELECT oid FROM exposed) AND relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT a.xmin, a.attrelid::bigint * 7 + a.attnum, 3
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE a.attnum > 0 AND c.relnamespace IN (SELECT oid FROM exposed) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT xmin, oid::bigint, 4 FROM pg_attrdef
  UNION ALL
  SELECT xmin, oid::bigint, 5 FROM pg_constraint WHERE oid >= 16384
  UNION ALL
  SELECT xmin, oid::bigint, 6 FROM pg_rewrite WHERE oid >= 16384
  UNION ALL
  SELECT xmin, oid::bigint, 15 FROM pg_trigger WHERE oid >= 16384 AND NOT tgisinternal
  UNION ALL
  SELECT xmin, oid::bigint, 7 FROM pg_proc WHERE pronamespace IN (SELECT oid FROM exposed)
  UNION ALL
  SELECT xmin, oid::bigint, 8 FROM pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e')
  UNION ALL
  SELECT xmin, oid::bigint, 9 FROM pg_enum
  UNION ALL
  SELECT xmin, oid::bigint, 10 FROM pg_cast WHERE oid >= 16384
  UNION ALL
  SELECT xmin, objoid::bigint * 7 + objsubid, 11 FROM pg_description WHERE objoid >= 16384
  UNION ALL
  SELECT xmin, setrole::bigint, 12 FROM pg_db_role_setting
  UNION ALL
  SELECT xmin, roleid::bigint * 31 + member::bigint, 13 FROM pg_auth_members
  UNION ALL
  SELECT xmin, oid::bigint, 14 FROM pg_extension WHERE oid >= 16384
) AS entries

-- As roles.sql, for servers (15 and later) that let a role set what was granted to it.
SELECT r.rolname, own.name, own.value
FROM pg_roles r
CROSS JOIN LATERAL unnest(r.rolconfig) AS whole (setting)
CROSS JOIN LATERAL (
  SELECT lower(split_part(setting, '=', 1)) AS name, substr(setting, strpos(setting, '=') + 1) AS value
) AS own
JOIN pg_settings s ON lower(s.name) = own.name
WHERE r.rolname <> current_user AND pg_has_role(current_user, r.oid, 'member')
  AND (s.context = 'user' OR has_parameter_privilege(current_user, s.name, 'SET'))
ORDER BY r.rolname, own.name

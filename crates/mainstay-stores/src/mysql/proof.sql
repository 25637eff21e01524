-- What the tables and views of the database in use are made of: the relation, a part of it, and how that part is. The
-- database is said of each table that is joined: otherwise MariaDB opens the tables of all databases.
SELECT t.table_name, 'is', CASE t.table_type WHEN 'VIEW' THEN 'a view' ELSE 'a table' END
FROM information_schema.tables t
WHERE t.table_schema = DATABASE() AND t.table_name NOT LIKE '|_mainstay%' ESCAPE '|'
UNION ALL
SELECT c.table_name, CONCAT('column ', c.column_name),
  CONCAT(c.column_type,
    CASE WHEN c.collation_name IS NOT NULL AND t.table_type <> 'VIEW' THEN CONCAT(' collate ', c.collation_name) ELSE '' END,
    CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END,
    CASE WHEN COALESCE(c.column_default, 'NULL') = 'NULL' THEN '' ELSE CONCAT(' default ', c.column_default) END,
    CASE WHEN c.extra LIKE '%auto_increment%' THEN ' counted' ELSE '' END,
    CASE WHEN COALESCE(c.generation_expression, '') = '' THEN '' ELSE CONCAT(' as ', c.generation_expression) END)
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = DATABASE() AND t.table_name = c.table_name
WHERE c.table_schema = DATABASE() AND c.table_name NOT LIKE '|_mainstay%' ESCAPE '|'
UNION ALL
SELECT s.table_name, CONCAT('key ', s.index_name),
  CONCAT(CASE MAX(s.non_unique) WHEN 0 THEN 'unique ' ELSE '' END, MAX(s.index_type), ' (',
    GROUP_CONCAT(CONCAT(COALESCE(s.column_name, '?'), COALESCE(CONCAT('(', s.sub_part, ')'), ''),
      CASE s.collation WHEN 'D' THEN ' desc' ELSE '' END) ORDER BY s.seq_in_index SEPARATOR ', '), ')')
FROM information_schema.statistics s
WHERE s.table_schema = DATABASE() AND s.table_name NOT LIKE '|_mainstay%' ESCAPE '|'
GROUP BY s.table_name, s.index_name
UNION ALL
SELECT k.table_name, CONCAT('reference ', k.constraint_name),
  CONCAT('(', GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position SEPARATOR ', '), ') to ', MAX(k.referenced_table_name),
    ' (', GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position SEPARATOR ', '), ')',
    CASE WHEN MAX(r.delete_rule) IN ('CASCADE', 'SET NULL') THEN CONCAT(' on delete ', LOWER(MAX(r.delete_rule))) ELSE '' END,
    CASE WHEN MAX(r.update_rule) IN ('CASCADE', 'SET NULL') THEN CONCAT(' on update ', LOWER(MAX(r.update_rule))) ELSE '' END)
FROM information_schema.key_column_usage k
JOIN information_schema.referential_constraints r
  ON r.constraint_schema = DATABASE() AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
WHERE k.table_schema = DATABASE() AND k.constraint_schema = DATABASE() AND k.table_name NOT LIKE '|_mainstay%' ESCAPE '|'
GROUP BY k.table_name, k.constraint_name
UNION ALL
SELECT g.event_object_table, CONCAT('trigger ', g.trigger_name),
  CONCAT(g.action_timing, ' ', g.event_manipulation, ' ', g.action_statement)
FROM information_schema.triggers g
WHERE g.trigger_schema = DATABASE() AND g.event_object_schema = DATABASE() AND g.event_object_table NOT LIKE '|_mainstay%' ESCAPE '|'
UNION ALL
SELECT v.table_name, 'query', v.view_definition FROM information_schema.views v WHERE v.table_schema = DATABASE()

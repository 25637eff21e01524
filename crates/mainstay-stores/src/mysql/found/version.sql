-- A number for each kind of thing in the database in use that the schema is made of; it changes when one of them does.
SELECT
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, table_type, table_comment))), 0) AS SIGNED)
    FROM information_schema.tables WHERE table_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, column_name, ordinal_position, column_type, is_nullable,
      COALESCE(column_default, '-'), extra, column_comment, collation_name, generation_expression))), 0) AS SIGNED)
    FROM information_schema.columns WHERE table_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, index_name, seq_in_index, column_name, non_unique, sub_part,
      collation))), 0) AS SIGNED)
    FROM information_schema.statistics WHERE table_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', k.table_name, k.constraint_name, k.ordinal_position, k.column_name,
      k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule))), 0) AS SIGNED)
    FROM information_schema.key_column_usage k
    JOIN information_schema.referential_constraints r ON r.constraint_schema = DATABASE()
      AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
    WHERE k.table_schema = DATABASE() AND k.constraint_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, view_definition, is_updatable))), 0) AS SIGNED)
    FROM information_schema.views WHERE table_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', event_object_table, trigger_name))), 0) AS SIGNED)
    FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', routine_name, routine_type, sql_data_access, is_deterministic, routine_comment,
      last_altered))), 0) AS SIGNED)
    FROM information_schema.routines WHERE routine_schema = DATABASE()),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', specific_name, routine_type, ordinal_position, parameter_mode, parameter_name,
      dtd_identifier))), 0) AS SIGNED)
    FROM information_schema.parameters WHERE specific_schema = DATABASE())

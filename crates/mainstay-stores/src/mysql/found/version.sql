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
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, constraint_name, ordinal_position, column_name,
      referenced_table_name, referenced_column_name))), 0) AS SIGNED)
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND constraint_schema = DATABASE() AND referenced_table_schema IS NOT NULL),
  (SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, constraint_name, delete_rule, update_rule))), 0) AS SIGNED)
    FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()),
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

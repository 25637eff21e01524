DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgrst_test_door') THEN
    CREATE ROLE pgrst_test_anon NOLOGIN;
    CREATE ROLE pgrst_test_user NOLOGIN;
    ALTER ROLE pgrst_test_user SET statement_timeout = '7s';
    ALTER ROLE pgrst_test_user SET default_transaction_isolation = 'repeatable read';
    CREATE ROLE pgrst_test_door LOGIN NOINHERIT PASSWORD 'sesame';
    GRANT pgrst_test_anon, pgrst_test_user TO pgrst_test_door;
  END IF;
END $$;

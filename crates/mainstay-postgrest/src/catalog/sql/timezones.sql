-- Names of time zones.
SELECT name FROM pg_timezone_names

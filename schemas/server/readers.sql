-- Readers of a ClickHouse server: a role, its limits and a quota. No migration: an administrator runs it once, e.g.
-- clickhouse-client --multiquery < readers.sql, with the names of the database and the users set to yours.

CREATE SETTINGS PROFILE IF NOT EXISTS watchkeeper_reader SETTINGS
    readonly = 1,
    max_execution_time = 30 MIN 0 MAX 60 CHANGEABLE_IN_READONLY,
    max_result_rows = 1000000 MIN 1 MAX 1000000 CHANGEABLE_IN_READONLY,
    max_threads = 4 MIN 1 MAX 8 CHANGEABLE_IN_READONLY,
    max_memory_usage = 4000000000 MIN 1 MAX 4000000000 CHANGEABLE_IN_READONLY,
    max_bytes_to_read = 100000000000 MIN 1 MAX 100000000000 CHANGEABLE_IN_READONLY,
    max_rows_to_read CHANGEABLE_IN_READONLY,
    result_overflow_mode = 'throw' READONLY,
    session_timezone = 'UTC' CHANGEABLE_IN_READONLY,
    date_time_output_format = 'simple' CHANGEABLE_IN_READONLY;

CREATE ROLE IF NOT EXISTS watchkeeper_reader SETTINGS PROFILE 'watchkeeper_reader';

-- SELECT alone: table functions such as url, file, s3 and remote need grants on SOURCES, which the role has not.
GRANT SELECT, SHOW ON watchkeeper.* TO watchkeeper_reader;

-- What the board about the monitor itself shows of the store.
GRANT SELECT ON system.parts TO watchkeeper_reader;

GRANT SELECT ON system.disks TO watchkeeper_reader;

CREATE QUOTA IF NOT EXISTS watchkeeper_reader KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 600, execution_time = 600
    TO watchkeeper_reader;

-- Users of teams: `watchkeeper sql-teams` prints a role for each, with its row policies; grant it instead of this one.

-- One user for each program that reads, never shared:
-- CREATE USER grafana IDENTIFIED WITH sha256_password BY '...' HOST IP '10.0.0.0/8'
--     DEFAULT ROLE watchkeeper_reader DEFAULT DATABASE watchkeeper;
-- GRANT watchkeeper_reader TO grafana;

-- name: bench_events
SELECT count(*) FROM events;

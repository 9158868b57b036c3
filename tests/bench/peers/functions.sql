-- What the peers need beside the tables: a check-in as one upsert, who is told of it, and the tier.
CREATE OR REPLACE FUNCTION bench_upsert(organization uuid, event uuid, patron uuid) RETURNS attendances LANGUAGE sql AS $$
    INSERT INTO attendances (id, organization_id, event_id, patron_id, seats, attended, inside, check_in_time, seconds_present)
    VALUES (gen_random_uuid(), organization, event, patron, 1, true, true, now(), 0)
    ON CONFLICT (organization_id, event_id, patron_id) DO UPDATE SET inside = true
    RETURNING *
$$;
-- The same, told to whoever listens.
CREATE OR REPLACE FUNCTION bench_arrive(organization uuid, event uuid, patron uuid) RETURNS attendances LANGUAGE plpgsql AS $$
DECLARE arrived attendances := bench_upsert(organization, event, patron);
BEGIN
    PERFORM pg_notify('arrivals:' || event, json_build_object('id', arrived.id)::text);
    RETURN arrived;
END $$;
CREATE OR REPLACE FUNCTION patrons_tier(patron patrons) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN patron.qualifying_points < 100 THEN 'BRONZE' WHEN patron.qualifying_points < 500 THEN 'SILVER'
        WHEN patron.qualifying_points < 1000 THEN 'GOLD' ELSE 'PLATINUM' END
$$;

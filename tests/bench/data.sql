-- Ten large organizations (5,000 patrons, 100 events) and forty small ones (1,250 and 25); 500
-- attendances an event and 3 loyalty entries a patron. Everything follows from the numbers alone.
CREATE TEMP TABLE tenants AS
    SELECT id, substring(slug FROM '\d+$')::integer AS number,
        CASE WHEN substring(slug FROM '\d+$')::integer < 10 THEN 5000 ELSE 1250 END * {scale} AS patrons,
        CASE WHEN substring(slug FROM '\d+$')::integer < 10 THEN 100 ELSE 25 END * {scale} AS events
    FROM organizations;

INSERT INTO users (id, username, username_key, email, password_hash, first_name, last_name)
    SELECT md5('user' || number || '.' || n)::uuid, 'member_' || number || '_' || n, 'member_' || number || '_' || n,
        'member' || number || '.' || n || '@example.org', '!', 'Mel' || n, 'Member' || number
    FROM tenants, generate_series(1, 99) AS n;
INSERT INTO members (id, organization_id, user_id, role, joined_at)
    SELECT md5('member' || number || '.' || n)::uuid, id, md5('user' || number || '.' || n)::uuid, 'member', now()
    FROM tenants, generate_series(1, 99) AS n;

INSERT INTO patrons (id, organization_id, first_name, last_name, email, sort_name, search, points, qualifying_points)
    SELECT md5('patron' || number || '.' || n)::uuid, id, 'Given' || n, 'Family' || n * 37 % 4999,
        'patron' || n || '@example.org', 'family' || n * 37 % 4999 || ' given' || n,
        'given' || n || ' family' || n * 37 % 4999 || ' patron' || n || '@example.org',
        60 + n % 40 * 30, 60 + n % 40 * 30
    FROM tenants, generate_series(1, patrons) AS n;
INSERT INTO loyalty_entries (id, organization_id, patron_id, kind, points, reason, source_id, generation, created_at)
    SELECT md5('entry' || number || '.' || n || '.' || k)::uuid, id, md5('patron' || number || '.' || n)::uuid, 'earn',
        20 + n % 40 * 10, 'Attended evening ' || k, md5('cause' || number || '.' || n || '.' || k)::uuid, 1,
        now() - k * interval '7 days' - n * interval '1 second'
    FROM tenants, generate_series(1, patrons) AS n, generate_series(1, 3) AS k;

INSERT INTO events (id, organization_id, title, description, location, starts_at, ends_at, time_zone, check_in_opens_at,
        check_in_closes_at, host_id, capacity_policy, attendance_points, published_at, registered_count, seats_taken, attended_count)
    SELECT md5('event' || number || '.' || n)::uuid, id, 'Evening ' || n, 'An evening like any other.', 'The hall',
        starts, starts + interval '3 hours', 'Europe/Vienna', starts - interval '2 hours', starts + interval '5 hours',
        md5('member' || number || '.' || n % 99 + 1)::uuid, 'advisory', 10, starts - interval '30 days', 500, 500, 400
    FROM tenants, generate_series(1, events) AS n,
        LATERAL (SELECT date_trunc('hour', now()) - n * interval '3 days' AS starts) AS times;
-- On now, for check-ins: each of the large organization's patrons may come to each of ninety.
INSERT INTO events (id, organization_id, title, description, location, starts_at, ends_at, time_zone, check_in_opens_at,
        check_in_closes_at, capacity_policy, attendance_points, published_at)
    SELECT md5('evening' || number || '.' || n)::uuid, id, 'Tonight ' || n, 'It is on.', 'The hall', now() - interval '1 hour',
        now() + interval '12 hours', 'Europe/Vienna', now() - interval '2 hours', now() + interval '12 hours', 'advisory', 10, now()
    FROM tenants, generate_series(1, 90) AS n WHERE number = 0;

-- 7 divides none of the numbers of patrons, so that an event's 500 are 500 people.
INSERT INTO attendances (id, organization_id, event_id, patron_id, registration, registered_at, seats, attended, inside,
        check_in_time, check_out_time, seconds_present, awards, created_at)
    SELECT md5('attendance' || number || '.' || n || '.' || k)::uuid, tenants.id, events.id,
        md5('patron' || number || '.' || (n * 37 + k * 7) % patrons + 1)::uuid, 'registered', starts_at - interval '5 days', 1,
        came, false, CASE WHEN came THEN starts_at + k % 60 * interval '1 minute' END,
        CASE WHEN came THEN starts_at + interval '2 hours' END, CASE WHEN came THEN 7200 - k % 60 * 60 ELSE 0 END, came::integer,
        starts_at - interval '5 days' + k * interval '1 minute'
    FROM tenants, generate_series(1, events) AS n, generate_series(1, 500) AS k,
        LATERAL (SELECT k % 5 <> 0 AS came) AS chance, events
    WHERE events.id = md5('event' || number || '.' || n)::uuid;

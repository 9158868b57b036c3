CREATE OR REPLACE FUNCTION bench_check_in(organization uuid, event uuid, patron uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    row attendances%ROWTYPE;
    person patrons%ROWTYPE;
    number bigint;
    new_attendance boolean;
BEGIN
    SELECT * INTO person FROM patrons WHERE organization_id = organization AND id = patron FOR NO KEY UPDATE;
    INSERT INTO attendance_scans (organization_id, id, event_id, patron_id, direction, method, occurred_at, claimed_at, received_at, outcome)
        VALUES (organization, gen_random_uuid(), event, patron, 'in', 'manual', now(), now(), now(), 'checked_in');
    SELECT NOT EXISTS (SELECT 1 FROM attendances WHERE organization_id = organization AND event_id = event AND patron_id = patron)
        INTO new_attendance;
    INSERT INTO attendances (id, organization_id, event_id, patron_id, seats, attended, inside, check_in_time, seconds_present, awards)
        VALUES (gen_random_uuid(), organization, event, patron, 1, true, true, now(), 0, 1)
        ON CONFLICT (organization_id, event_id, patron_id) DO UPDATE SET inside = true
        RETURNING * INTO row;
    IF new_attendance THEN
        UPDATE events SET attended_count = attended_count + 1, inside_count = inside_count + 1, seats_taken = seats_taken + 1
            WHERE organization_id = organization AND id = event;
        INSERT INTO loyalty_entries (id, organization_id, patron_id, kind, points, reason, source_id, generation)
            VALUES (gen_random_uuid(), organization, patron, 'earn', 10, 'Attended', row.id, 1);
        UPDATE patrons SET points = points + 10, qualifying_points = qualifying_points + 10
            WHERE organization_id = organization AND id = patron;
    END IF;
    UPDATE change_counters SET last_sequence = last_sequence + 1 WHERE organization_id = organization RETURNING last_sequence INTO number;
    INSERT INTO audit_logs (id, organization_id, event_type, target_id, sequence, changes)
        VALUES (gen_random_uuid(), organization, 'attendance.checked_in', row.id, number, 1);
    INSERT INTO changes (organization_id, sequence, kind, subject_id, event_id, patron_id, occurred_at, recorded_at, data)
        VALUES (organization, number, 'attendance.checked_in', row.id, event, patron, now(), now(), '{}');
    RETURN json_build_object('data', json_build_object('checkIn', json_build_object('outcome', 'CHECKED_IN', 'attendance',
        json_build_object('checkInTime', row.check_in_time, 'patron', json_build_object('firstName', person.first_name,
            'lastName', person.last_name)))))::text;
END $$;

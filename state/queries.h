/* Every statement of the program, by name: QUERY(name, text), read several times by state/db.h and state/db.c.
 *
 * Rules (one text for SQLite and PostgreSQL): parameters $1..$n; BIGINT, TEXT, BYTEA only; times are Unix ms from our clock; upserts as
 * INSERT ... ON CONFLICT ... DO UPDATE; numbers of new rows by RETURNING, which builds a table in memory each time (3 us): what runs once
 * a record updates and then selects instead. */

/* schema, names, settings */
QUERY(SCHEMA_VERSION, "SELECT user_version FROM pragma_user_version") /* PostgreSQL: a table of one row */
QUERY(NAME_GET, "SELECT no FROM name WHERE name = $1")
QUERY(NAME_ADD, "INSERT INTO name(name, next_row) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET next_row = name.next_row RETURNING no")
QUERY(NAME_DELETE, "DELETE FROM name WHERE no = $1")
QUERY(NAME_NEXT_ROW, "UPDATE name SET next_row = next_row + $2 WHERE no = $1")
QUERY(NAME_ROW, "SELECT next_row FROM name WHERE no = $1")
QUERY(NAME_LIST, "SELECT name FROM name WHERE name NOT LIKE 'target %' ORDER BY name") /* not the turns at remotes (core/run.c) */
QUERY(SETTING_GET, "SELECT value FROM setting WHERE key = $1")
QUERY(SETTING_SET, "INSERT INTO setting(key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2")
QUERY(SETTING_DELETE, "DELETE FROM setting WHERE key = $1")
QUERY(TRAIT_GET, "SELECT value FROM trait WHERE account = $1 AND key = $2 AND time_ms >= $3")
QUERY(TRAIT_SET, "INSERT INTO trait(account, key, value, time_ms) VALUES ($1, $2, $3, $4)"
                 " ON CONFLICT (account, key) DO UPDATE SET value = $3, time_ms = $4")
QUERY(TRAIT_EACH, "SELECT account, key, value, time_ms FROM trait ORDER BY account, key")
QUERY(TRAIT_DELETE, "DELETE FROM trait WHERE account = $1 AND key = $2")
QUERY(TRAIT_DELETE_ALL, "DELETE FROM trait WHERE account = $1")

/* secrets */
QUERY(SECRET_GET, "SELECT key_id, nonce, box FROM secret WHERE account = $1 AND field = $2")
QUERY(SECRET_SET, "INSERT INTO secret(account, field, key_id, nonce, box) VALUES ($1, $2, $3, $4, $5)"
                  " ON CONFLICT (account, field) DO UPDATE SET key_id = $3, nonce = $4, box = $5")
QUERY(SECRET_DELETE, "DELETE FROM secret WHERE account = $1 AND ($2 IS NULL OR field = $2)")
QUERY(SECRET_COUNT, "SELECT count(*) FROM secret")

/* journal */
QUERY(JOURNAL_FIND_A, "SELECT no FROM journal WHERE link = $1 AND id_a = $2")
QUERY(JOURNAL_FIND_B, "SELECT no FROM journal WHERE link = $1 AND id_b = $2")
QUERY(JOURNAL_GET, "SELECT j.id_a, j.id_b, j.version_a, j.version_b, j.flags, b.base_a, b.base_b FROM journal j"
                   " LEFT JOIN journal_base b ON b.no = j.no WHERE j.no = $1 AND j.link = $2")
QUERY(JOURNAL_INSERT, "INSERT INTO journal(no, link, id_a, id_b, version_a, version_b, flags) VALUES ($1, $2, $3, $4, $5, $6, $7)")
QUERY(JOURNAL_UPDATE, "UPDATE journal SET id_a = $3, id_b = $4, version_a = $5, version_b = $6, flags = $7 WHERE no = $1 AND link = $2"
                      " RETURNING no")
QUERY(JOURNAL_BASE, "INSERT INTO journal_base(no, base_a, base_b) VALUES ($1, $2, $3)"
                    " ON CONFLICT (no) DO UPDATE SET base_a = $2, base_b = $3")
QUERY(JOURNAL_VERSION_A, "UPDATE journal SET version_a = $3 WHERE no = $1 AND link = $2")
QUERY(JOURNAL_VERSION_B, "UPDATE journal SET version_b = $3 WHERE no = $1 AND link = $2")
QUERY(JOURNAL_FLAGS, "UPDATE journal SET flags = $3 WHERE no = $1 AND link = $2")
QUERY(JOURNAL_DELETE, "DELETE FROM journal WHERE no = $1 AND link = $2")
QUERY(JOURNAL_BASE_DELETE, "DELETE FROM journal_base WHERE no = $1")
QUERY(JOURNAL_COUNT, "SELECT count(*) FROM journal WHERE no BETWEEN $1 AND $2")
QUERY(JOURNAL_COUNT_DELETED, "SELECT count(*) FROM journal WHERE link = $1 AND flags >= 8 AND (flags & 8) = 8 AND COALESCE(id_b, '') <> ''")
QUERY(JOURNAL_EACH_DELETED, "SELECT no FROM journal WHERE link = $1 AND flags >= 8 AND (flags & 8) = 8 ORDER BY no")
QUERY(JOURNAL_EACH_A, "SELECT no, id_a, version_a FROM journal WHERE no BETWEEN $1 AND $2 AND id_a IS NOT NULL")
QUERY(JOURNAL_EACH_B, "SELECT no, id_b, version_b FROM journal WHERE no BETWEEN $1 AND $2 AND id_b IS NOT NULL")
QUERY(JOURNAL_EACH_ROW, "SELECT no FROM journal WHERE no BETWEEN $1 AND $2 ORDER BY no")
QUERY(JOURNAL_WIPE, "DELETE FROM journal WHERE no BETWEEN $1 AND $2")
QUERY(JOURNAL_BASE_WIPE, "DELETE FROM journal_base WHERE no BETWEEN $1 AND $2")
QUERY(LINK_STATE_GET, "SELECT token_a, token_b, identity_a, identity_b, settings_hash, normaliser, first_run_done, last_full_a_ms,"
                      " last_full_b_ms, last_run_ms, records_a, records_b, mode FROM link_state WHERE link = $1")
QUERY(LINK_STATE_SET, "INSERT INTO link_state(link, token_a, token_b, identity_a, identity_b, settings_hash, normaliser, first_run_done,"
                      " last_full_a_ms, last_full_b_ms, last_run_ms, records_a, records_b, mode)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (link) DO UPDATE SET"
                      " token_a = $2, token_b = $3, identity_a = $4, identity_b = $5, settings_hash = $6, normaliser = $7,"
                      " first_run_done = $8, last_full_a_ms = $9, last_full_b_ms = $10, last_run_ms = $11, records_a = $12,"
                      " records_b = $13, mode = $14")
QUERY(LINK_STATE_FEEDERS, "SELECT n.name FROM link_state s JOIN name n ON n.no = s.link WHERE s.identity_b = $1 AND s.mode = 'one-way'"
                          " AND n.name <> $2 ORDER BY n.name")
QUERY(LINK_STATE_DELETE, "DELETE FROM link_state WHERE link = $1")

/* lists that are sent whole */
QUERY(PUSHED_EACH, "SELECT id, source, uid, title, body, who, vital, accepted FROM pushed WHERE link = $1 ORDER BY id")
QUERY(PUSHED_ADD, "INSERT INTO pushed(link, id, source, uid, title, body, who, vital, accepted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                  " ON CONFLICT (link, id) DO NOTHING")
QUERY(PUSHED_COUNT, "SELECT count(*) FROM pushed WHERE link = $1 AND accepted = 1")
QUERY(PUSHED_REMOVE, "DELETE FROM pushed WHERE link = $1 AND id = $2")
QUERY(PUSHED_WIPE, "DELETE FROM pushed WHERE link = $1")
QUERY(PUSHED_REFUSED, "DELETE FROM pushed WHERE link = $1 AND accepted = 0")
QUERY(PUSHED_LIST_GET, "SELECT identity, sent_ms, unsure FROM pushed_list WHERE link = $1")
QUERY(PUSHED_LIST_SET, "INSERT INTO pushed_list(link, identity, sent_ms, unsure) VALUES ($1, $2, $3, 0)"
                       " ON CONFLICT (link) DO UPDATE SET identity = $2, sent_ms = $3, unsure = 0")
QUERY(PUSHED_LIST_UNSURE, "INSERT INTO pushed_list(link, identity, sent_ms, unsure) VALUES ($1, $2, 0, $3)"
                          " ON CONFLICT (link) DO UPDATE SET unsure = $3")
QUERY(PUSHED_LIST_WIPE, "DELETE FROM pushed_list WHERE link = $1")
QUERY(PUSHED_STOP_SET, "INSERT INTO pushed_stop(link, code, what, advice, cause) VALUES ($1, $2, $3, $4, $5)"
                       " ON CONFLICT (link) DO UPDATE SET code = $2, what = $3, advice = $4, cause = $5")
QUERY(PUSHED_STOP_GET, "SELECT code, what, advice, cause FROM pushed_stop WHERE link = $1")
QUERY(PUSHED_STOP_WIPE, "DELETE FROM pushed_stop WHERE link = $1")
QUERY(PUSHED_OWNER, "SELECT n.name FROM pushed_list p JOIN name n ON n.no = p.link WHERE p.identity = $1 AND n.name <> $2")
QUERY(SUBJECT_ERASE_PUSHED, "DELETE FROM pushed WHERE source = $1 OR id = $1")
QUERY(SUBJECT_ERASE_PUSHED_TITLE, "DELETE FROM pushed WHERE title = $1")

/* phonebooks */
#define DIRECTORY_COLUMNS                                                                                                              \
    "d.no, d.name, d.push_book, d.created_ms, d.pushed_ms, d.fetched_ms, d.fetched_as, d.merged_book, d.merged_version"
#define DIRECTORY_SELECT "SELECT " DIRECTORY_COLUMNS " FROM directory d "
QUERY(DIRECTORY_ADD, "INSERT INTO directory(name, push_book, created_ms, pushed_ms, fetched_ms) VALUES ($1, $2, $3, 0, 0) RETURNING no")
QUERY(DIRECTORY_BY_KEY, "SELECT " DIRECTORY_COLUMNS ", k.rights, k.until_ms FROM directory_key k JOIN directory d ON d.no = k.directory"
                        " WHERE k.hash = $1")
QUERY(DIRECTORY_BY_NAME, DIRECTORY_SELECT "WHERE d.name = $1")
QUERY(DIRECTORY_OF_USER, DIRECTORY_SELECT "WHERE d.merged_book IN (SELECT book FROM dav_user_book WHERE dav_user = $1)")
QUERY(DIRECTORY_LIST, DIRECTORY_SELECT "ORDER BY d.name")
QUERY(DIRECTORY_REMOVE, "DELETE FROM directory WHERE no = $1")
QUERY(DIRECTORY_PUSHED, "UPDATE directory SET pushed_ms = $2 WHERE no = $1")
QUERY(DIRECTORY_FETCHED, "UPDATE directory SET fetched_ms = $2, fetched_as = $3 WHERE no = $1")
QUERY(DIRECTORY_MERGED_BOOK, "UPDATE directory SET merged_book = $2 WHERE no = $1")
QUERY(DIRECTORY_MERGED_VERSION, "UPDATE directory SET merged_version = $2 WHERE no = $1")
QUERY(DIRECTORY_KEY_ADD, "INSERT INTO directory_key(hash, directory, rights, created_ms, until_ms) VALUES ($1, $2, $3, $4, 0)")
QUERY(DIRECTORY_KEY_GET, "SELECT directory FROM directory_key WHERE hash = $1")
QUERY(DIRECTORY_KEYS, "SELECT rights, created_ms, until_ms FROM directory_key WHERE directory = $1 ORDER BY created_ms, hash")
QUERY(DIRECTORY_KEYS_UNTIL, "UPDATE directory_key SET until_ms = $3 WHERE directory = $1 AND (rights & $2) <> 0 AND (until_ms = 0 OR until_ms > $3)")
QUERY(DIRECTORY_KEYS_RIGHTS, "UPDATE directory_key SET rights = $2 WHERE directory = $1")
QUERY(DIRECTORY_KEYS_PURGE, "DELETE FROM directory_key WHERE directory = $1 AND (rights = 0 OR (until_ms > 0 AND until_ms <= $2))")
QUERY(DIRECTORY_PART_ADD, "INSERT INTO directory_part(directory, place, kind, book, link) VALUES ($1, $2, $3, $4, $5)")
QUERY(DIRECTORY_PART_PLACE, "SELECT COALESCE(max(place), -1) + 1 FROM directory_part WHERE directory = $1 AND kind <> 2")
QUERY(DIRECTORY_PART_SET_PLACE, "UPDATE directory_part SET place = $3 WHERE directory = $1 AND book = $2")
QUERY(DIRECTORY_PART_REMOVE, "DELETE FROM directory_part WHERE directory = $1 AND book = $2")
QUERY(BOOK_REMOVE_PARTS, "DELETE FROM directory_part WHERE book = (SELECT id FROM book WHERE no = $1)")
QUERY(DIRECTORY_PART_OF_LINK, "SELECT p.book FROM directory_part p JOIN book b ON b.id = p.book WHERE p.directory = $1 AND p.link = $2")
QUERY(DIRECTORY_PARTS, "SELECT p.kind, p.book, p.link, b.name, b.living, b.seq FROM directory_part p JOIN book b ON b.id = p.book"
                       " WHERE p.directory = $1 ORDER BY p.place, p.book")
QUERY(DIRECTORY_PART_OWNER, "SELECT d.name, p.kind FROM directory_part p JOIN directory d ON d.no = p.directory WHERE p.book = $1 AND p.kind <> 0"
                            " UNION ALL SELECT name, 3 FROM directory WHERE merged_book = $1")
QUERY(DIRECTORY_SETTINGS, "SELECT key, value FROM directory_setting WHERE directory = $1 ORDER BY key")
QUERY(DIRECTORY_SETTING_SET, "INSERT INTO directory_setting(directory, key, value) VALUES ($1, $2, $3)"
                             " ON CONFLICT(directory, key) DO UPDATE SET value = excluded.value")
QUERY(DIRECTORY_SETTING_REMOVE, "DELETE FROM directory_setting WHERE directory = $1 AND key = $2")
QUERY(DIRECTORY_UPLOAD_DROP, "DELETE FROM directory_upload WHERE directory = $1 AND age = $2")
QUERY(DIRECTORY_UPLOAD_AGE, "UPDATE directory_upload SET age = 1 WHERE directory = $1 AND age = 0")
QUERY(DIRECTORY_UPLOAD_ADD, "INSERT INTO directory_upload(directory, age, time_ms, digest, seq, told, size_bytes, body)"
                            " VALUES ($1, 0, $2, $3, $4, $5, $6, $7)")
QUERY(DIRECTORY_UPLOAD_GET, "SELECT time_ms, digest, seq, told, size_bytes FROM directory_upload WHERE directory = $1 AND age = $2")
QUERY(DIRECTORY_UPLOAD_BODY, "SELECT size_bytes, body FROM directory_upload WHERE directory = $1 AND age = $2")
QUERY(DIRECTORY_UPLOADS_FORGET, "DELETE FROM directory_upload")

/* many records of one book at once */
QUERY(BOOK_RAISE, "UPDATE book SET seq = $2, living = living + $3 WHERE no = $1")
QUERY(RECORD_CONTENTS, "SELECT no, uid, title, body FROM record WHERE book = $1 AND deleted = 0")

/* who uses the CardDAV server */
QUERY(USER_ADD, "INSERT INTO dav_user(name, password, created_ms) VALUES ($1, $2, $3) RETURNING no")
QUERY(USER_PASSWORD, "UPDATE dav_user SET password = $2 WHERE no = $1")
QUERY(USER_GET, "SELECT no, name, password, created_ms FROM dav_user WHERE name = $1")
QUERY(USER_LIST, "SELECT no, name, password, created_ms FROM dav_user ORDER BY name")
QUERY(USER_REMOVE, "DELETE FROM dav_user WHERE no = $1")
QUERY(USER_BOOK_SET, "INSERT INTO dav_user_book(dav_user, book, read_only) VALUES ($1, $2, $3)"
                     " ON CONFLICT (dav_user, book) DO UPDATE SET read_only = $3")
QUERY(USER_BOOK_REMOVE, "DELETE FROM dav_user_book WHERE dav_user = $1 AND book = $2")
QUERY(USER_BOOKS, "SELECT u.book, u.read_only, u.name, COALESCE(u.title, b.name), u.description, b.seq, b.no, b.name FROM dav_user_book u"
                  " JOIN book b ON b.id = u.book WHERE u.dav_user = $1 AND b.kind = 0 ORDER BY b.no")
QUERY(USER_BOOK_NAME, "UPDATE dav_user_book SET name = $3 WHERE dav_user = $1 AND book = $2")
QUERY(USER_BOOK_SAY, "UPDATE dav_user_book SET title = $3, description = $4 WHERE dav_user = $1 AND book = $2")
QUERY(DAV_NAME_SET, "INSERT INTO dav_name(book, name, record) VALUES ($1, $2, $3) ON CONFLICT (record) DO UPDATE SET book = $1, name = $2")
QUERY(DAV_NAME_FREE, "DELETE FROM dav_name WHERE book = $1 AND name = $2 AND record <> $3")
QUERY(DAV_NAME_OF, "SELECT name FROM dav_name WHERE record = $1")
#define DAV_CARD_COLUMNS "r.id, COALESCE(n.name, r.id || '.vcf'), r.uid, r.title, r.seq, r.deleted, r.changed_ms, r.origin, r.body"
#define DAV_CARD_FROM " FROM record r LEFT JOIN dav_name n ON n.record = r.id "
QUERY(DAV_CARD_BY_NAME, "SELECT " DAV_CARD_COLUMNS " FROM dav_name n JOIN record r ON r.id = n.record WHERE n.book = $2 AND n.name = $3"
                        " AND r.book = $1 AND r.deleted = 0")
QUERY(DAV_CARD_BY_ID, "SELECT " DAV_CARD_COLUMNS DAV_CARD_FROM "WHERE r.id = $3 AND r.book = $1 AND $2 IS NOT NULL AND r.deleted = 0 AND n.name IS NULL")
QUERY(DAV_CARDS, "SELECT " DAV_CARD_COLUMNS DAV_CARD_FROM "WHERE r.book = $1 AND r.deleted = 0 ORDER BY r.seq")
QUERY(DAV_CHANGES, "SELECT " DAV_CARD_COLUMNS DAV_CARD_FROM "WHERE r.book = $1 AND r.seq > $2 UNION ALL"
                   " SELECT NULL, name, NULL, NULL, seq, 1, 0, NULL, NULL FROM dav_gone WHERE book = $1 AND seq > $2 ORDER BY 5")
QUERY(DAV_STAMP, "SELECT changed_ms FROM record WHERE book = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1")
QUERY(DAV_GONE_PUT, "INSERT INTO dav_gone(book, seq, name) SELECT no, $2, $3 FROM book WHERE id = $1")
QUERY(DAV_GONE_BACK, "DELETE FROM dav_gone WHERE book = (SELECT no FROM book WHERE id = $1) AND name = $2")
QUERY(DAV_GONE_KEEP, "INSERT INTO dav_gone(book, seq, name) SELECT r.book, r.seq, COALESCE(n.name, r.id || '.vcf')" DAV_CARD_FROM
                     "WHERE r.deleted = 1 AND r.changed_ms < $1")
QUERY(DAV_NAME_PURGE, "DELETE FROM dav_name WHERE record IN (SELECT id FROM record WHERE deleted = 1 AND changed_ms < $1)")
QUERY(DAV_NAME_OF_BOOK, "DELETE FROM dav_name WHERE book = (SELECT id FROM book WHERE no = $1)")
QUERY(DAV_CLIENT_GET, "SELECT seq FROM dav_client WHERE client = $1 AND book = $2")
QUERY(DAV_CLIENT_SET, "INSERT INTO dav_client(client, book, seq, time_ms) VALUES ($1, $2, $3, $4)"
                      " ON CONFLICT (client, book) DO UPDATE SET seq = $3, time_ms = $4")
QUERY(DAV_CLIENT_PURGE, "DELETE FROM dav_client WHERE time_ms < $1 OR book NOT IN (SELECT id FROM book)")

/* owed */
QUERY(INTENT_ADD, "INSERT INTO intent(link, side, kind, id, version, source_id, journal_no, content, run, time_ms)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING no")
QUERY(INTENT_EACH, "SELECT no, side, kind, id, version, source_id, journal_no, content, run, time_ms FROM intent WHERE link = $1 ORDER BY no")
QUERY(INTENT_CLOSE, "DELETE FROM intent WHERE no = $1")
QUERY(INTENT_CLOSE_ALL, "DELETE FROM intent WHERE link = $1")
QUERY(INTENT_COUNT, "SELECT count(*) FROM intent WHERE link = $1")
QUERY(PENDING_PUT, "INSERT INTO pending(link, side, id, title, reason, text, tries, first_seen_ms, content)"
                   " VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8) ON CONFLICT (link, side, id) DO UPDATE SET title = $4, reason = $5,"
                   " text = $6, tries = pending.tries + 1, content = $8")
QUERY(PENDING_REMOVE, "DELETE FROM pending WHERE link = $1 AND side = $2 AND id = $3")
QUERY(PENDING_GET, "SELECT side, id, title, reason, text, tries, first_seen_ms, content FROM pending"
                   " WHERE link = $1 AND side = $2 AND id = $3")
QUERY(PENDING_LIST, "SELECT side, id, title, reason, text, tries, first_seen_ms, content FROM pending WHERE link = $1 ORDER BY side, id")
QUERY(PENDING_WIPE, "DELETE FROM pending WHERE link = $1")
QUERY(PENDING_COUNT, "SELECT count(*) FROM pending WHERE link = $1")
QUERY(DECISION_PUT, "INSERT INTO decision(link, id_a, id_b, decision, time_ms) VALUES ($1, $2, $3, $4, $5)"
                    " ON CONFLICT (link, id_a, id_b) DO UPDATE SET decision = $4, time_ms = $5")
QUERY(DECISION_DELETE, "DELETE FROM decision WHERE link = $1 AND id_a = $2 AND id_b = $3")
QUERY(DECISION_GET, "SELECT decision FROM decision WHERE link = $1 AND id_a = $2 AND id_b = $3")
QUERY(DECISION_EACH, "SELECT id_a, id_b, decision FROM decision WHERE link = $1 ORDER BY id_a, id_b")
QUERY(DECISION_WIPE, "DELETE FROM decision WHERE link = $1")
QUERY(REVIEW_ADD, "INSERT INTO review(link, id_a, id_b, title_a, title_b, reason, time_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)")
QUERY(REVIEW_REMOVE, "DELETE FROM review WHERE link = $1 AND id_a = $2 AND id_b = $3")
QUERY(REVIEW_WIPE, "DELETE FROM review WHERE link = $1")
QUERY(REVIEW_EACH, "SELECT id_a, id_b, title_a, title_b, reason, time_ms FROM review WHERE link = $1 ORDER BY no")
QUERY(REVIEW_COUNT, "SELECT count(*) FROM review WHERE link = $1")
QUERY(HELD_PUT, "INSERT INTO held(link, plan, reason, run, time_ms, approved) VALUES ($1, $2, $3, $4, $5, 0)"
                " ON CONFLICT (link) DO UPDATE SET reason = $3, run = $4, time_ms = $5,"
                " approved = CASE WHEN held.plan = $2 THEN held.approved ELSE 0 END, plan = $2")
QUERY(HELD_GET, "SELECT plan, reason, run, time_ms, approved FROM held WHERE link = $1")
QUERY(HELD_APPROVE, "UPDATE held SET approved = 1 WHERE link = $1 AND plan = $2 RETURNING link")
QUERY(HELD_CLEAR, "DELETE FROM held WHERE link = $1")
QUERY(HELD_LIST, "SELECT n.name, h.plan, h.reason, h.run, h.time_ms, h.approved FROM held h JOIN name n ON n.no = h.link ORDER BY n.name")

/* who runs what */
QUERY(LEASE_TAKE, "INSERT INTO lease(link, owner, fence, until_ms, by_lock) VALUES ($1, $2, 1, $3, $4) ON CONFLICT (link) DO UPDATE SET"
                  " owner = $2, fence = lease.fence + 1, until_ms = $3, by_lock = $4"
                  " WHERE lease.until_ms <= $5 OR (lease.by_lock = 1 AND $4 = 1) RETURNING fence")
QUERY(LEASE_RENEW, "UPDATE lease SET until_ms = $3 WHERE link = $1 AND fence = $2 RETURNING link")
QUERY(LEASE_END, "UPDATE lease SET until_ms = 0 WHERE link = $1 AND fence = $2")

QUERY(REQUEST_GET, "SELECT run FROM request WHERE link = $1")
QUERY(REQUEST_PUT, "INSERT INTO request(link, run, time_ms) VALUES ($1, $2, $3)")
QUERY(REQUEST_LIST, "SELECT n.name, q.run, q.time_ms FROM request q JOIN name n ON n.no = q.link ORDER BY q.run")
QUERY(REQUEST_CLOSE, "DELETE FROM request WHERE link = $1 AND run = $2")
QUERY(COMMITS, "SELECT data_version FROM pragma_data_version") /* PostgreSQL: a notification, or a counter */

/* store */
#define BOOK_COLUMNS "id, name, kind, seq, living, floor"
QUERY(BOOK_LIST, "SELECT " BOOK_COLUMNS " FROM book ORDER BY name")
QUERY(BOOK_BY_ID, "SELECT " BOOK_COLUMNS " FROM book WHERE id = $1")
QUERY(BOOK_BY_NAME, "SELECT " BOOK_COLUMNS " FROM book WHERE name = $1")
QUERY(BOOK_NUMBER, "SELECT no FROM book WHERE id = $1")
QUERY(BOOK_ADD, "INSERT INTO book(id, name, kind, seq, floor, living, created_ms) VALUES ($1, $2, $3, 0, 0, 0, $4)")
QUERY(BOOK_RENAME, "UPDATE book SET name = $2 WHERE id = $1 RETURNING no")
QUERY(BOOK_REMOVE, "DELETE FROM book WHERE no = $1")
QUERY(BOOK_REMOVE_RECORDS, "DELETE FROM record WHERE book = $1")
QUERY(BOOK_CHANGE, "UPDATE book SET seq = seq + 1, living = living + $2 WHERE no = $1")
QUERY(BOOK_SEQ, "SELECT seq FROM book WHERE no = $1")
#define RECORD_COLUMNS                                                                                                                 \
    "r.id, b.id, r.kind, r.uid, r.title, r.seq, r.deleted, r.by_person, r.origin, r.created_ms, r.changed_ms, r.body"
#define RECORD_FROM " FROM record r JOIN book b ON b.no = r.book "
QUERY(RECORD_GET, "SELECT " RECORD_COLUMNS RECORD_FROM "WHERE r.id = $1")
QUERY(RECORD_BY_UID, "SELECT " RECORD_COLUMNS RECORD_FROM "WHERE r.book = $1 AND r.uid = $2 AND r.deleted = 0 ORDER BY r.no")
QUERY(RECORD_COUNT_UID, "SELECT count(*)" RECORD_FROM "WHERE b.id = $1 AND r.uid = $2 AND r.deleted = 0")
QUERY(RECORD_BY_PREFIX, "SELECT r.id" RECORD_FROM
                        "WHERE r.id >= $1 AND r.id < $2 AND r.deleted = $3 AND ($4 IS NULL OR b.id = $4) LIMIT 2")
QUERY(RECORD_BY_TITLE, "SELECT r.id" RECORD_FROM
                       "WHERE r.title = $1 AND r.deleted = $2 AND ($3 IS NULL OR b.id = $3) LIMIT 2")
QUERY(RECORD_HEAD, "SELECT no, book, seq, deleted, length(body) FROM record WHERE id = $1")
QUERY(RECORD_SAME, "SELECT 1 FROM record WHERE no = $1 AND body = $2 AND uid IS NOT DISTINCT FROM $3 AND title IS NOT DISTINCT FROM $4")
QUERY(RECORD_INSERT, "INSERT INTO record(id, book, seq, kind, deleted, by_person, created_ms, changed_ms, uid, title, origin, body)"
                     " VALUES ($1, $2, $3, $4, 0, 0, $5, $5, $6, $7, $8, $9)")
QUERY(RECORD_REVIVE, "UPDATE record SET book = $2, seq = $3, kind = $4, deleted = 0, by_person = 0, changed_ms = $5, uid = $6, title = $7,"
                     " origin = $8, body = $9 WHERE no = $1")
QUERY(RECORD_UPDATE, "UPDATE record SET seq = $2, changed_ms = $3, uid = $4, title = $5, origin = $6, body = $7 WHERE no = $1")
QUERY(RECORD_TOUCH, "UPDATE record SET seq = $2, changed_ms = $3, origin = $4 WHERE no = $1")
QUERY(RECORD_MARK, "UPDATE record SET seq = $2, changed_ms = $3, deleted = $4, by_person = $5, origin = $6 WHERE no = $1")
QUERY(RECORD_CHANGES, "SELECT " RECORD_COLUMNS RECORD_FROM "WHERE r.book = $1 AND r.seq > $2 ORDER BY r.seq")
QUERY(RECORD_EACH, "SELECT " RECORD_COLUMNS RECORD_FROM
                   "WHERE r.book = $1 AND r.seq <= (SELECT seq FROM book WHERE no = $1) AND r.deleted = 0 ORDER BY r.seq")
QUERY(RECORD_LIST, "SELECT " RECORD_COLUMNS RECORD_FROM "WHERE r.deleted = $1 AND ($2 IS NULL OR b.id = $2) ORDER BY r.title, r.id")
QUERY(RECORD_CHANGED_BY_PERSON, "SELECT 1" RECORD_FROM "WHERE b.id = $1 AND r.seq > $2 AND r.origin IS DISTINCT FROM $3 LIMIT 1")
QUERY(RECORD_LIVING, "SELECT no FROM record WHERE book = $1 AND deleted = 0 ORDER BY no LIMIT 512")
QUERY(BOOK_RAISE_FLOOR, "UPDATE book SET floor = COALESCE((SELECT max(r.seq) FROM record r WHERE r.book = book.no AND r.deleted = 1"
                        " AND r.changed_ms < $1 AND r.seq > book.floor), floor)")
QUERY(RECORD_PURGE, "DELETE FROM record WHERE deleted = 1 AND changed_ms < $1")
QUERY(RECORD_PURGE_COUNT, "SELECT count(*) FROM record WHERE deleted = 1 AND changed_ms < $1")

/* what hangs on records */
#define FOLLOWUP_SELECT                                                                                                                \
    "SELECT f.no, f.record, COALESCE(r.title, f.contact), f.due, f.text, f.created_ms, f.done_ms, b.name, r.deleted"                  \
    " FROM followup f LEFT JOIN record r ON r.id = f.record LEFT JOIN book b ON b.no = r.book "
QUERY(FOLLOWUP_ADD, "INSERT INTO followup(record, contact, due, text, created_ms, done_ms) VALUES ($1, $2, $3, $4, $5, 0) RETURNING no")
QUERY(FOLLOWUP_GET, FOLLOWUP_SELECT "WHERE f.no = $1")
QUERY(FOLLOWUP_LIST, FOLLOWUP_SELECT
      "WHERE (CAST($1 AS TEXT) IS NULL OR f.record = $1) AND (CAST($2 AS TEXT) IS NULL OR b.id = $2)"
      " AND (CAST($3 AS TEXT) IS NULL OR f.due < $3) AND ($4 = 1 OR f.done_ms = 0) AND ($5 = 0 OR r.id IS NULL) ORDER BY f.due, f.no")
QUERY(FOLLOWUP_DONE, "UPDATE followup SET done_ms = $2 WHERE no = $1 AND done_ms = 0")
QUERY(FOLLOWUP_ASSIGN, "UPDATE followup SET record = $2, contact = $3 WHERE no = $1")
QUERY(FOLLOWUP_DROP, "DELETE FROM followup WHERE record = $1")
QUERY(FOLLOWUP_MOVE, "UPDATE followup SET record = $2 WHERE record = $1")
QUERY(ATTACHMENT_BODY_ADD, "INSERT INTO attachment_body(hash, size_bytes) VALUES (NULL, 0) RETURNING no")
QUERY(ATTACHMENT_BODY_FIND, "SELECT no FROM attachment_body WHERE hash = $1")
QUERY(ATTACHMENT_BODY_SET, "UPDATE attachment_body SET hash = $2, size_bytes = $3 WHERE no = $1")
QUERY(ATTACHMENT_BODY_REMOVE, "DELETE FROM attachment_body WHERE no = $1")
QUERY(ATTACHMENT_PARTS_REMOVE, "DELETE FROM attachment_part WHERE body = $1")
QUERY(ATTACHMENT_PART_ADD, "INSERT INTO attachment_part(body, part, bytes) VALUES ($1, $2, $3)")
QUERY(ATTACHMENT_PARTS, "SELECT p.bytes FROM attachment_part p JOIN attachment a ON a.body = p.body WHERE a.no = $1 ORDER BY p.part")
QUERY(ATTACHMENT_ADD, "INSERT INTO attachment(record, body, name, media_type, created_ms, detached_ms) VALUES ($1, $2, $3, $4, $5, 0)"
                      " RETURNING no")
QUERY(ATTACHMENT_SAME, "SELECT no FROM attachment WHERE record = $1 AND body = $2 AND name = $3 ORDER BY no")
#define ATTACHMENT_SELECT                                                                                                              \
    "SELECT a.no, a.record, a.name, a.media_type, b.hash, b.size_bytes, a.created_ms, a.detached_ms"                                  \
    " FROM attachment a JOIN attachment_body b ON b.no = a.body "
QUERY(ATTACHMENT_GET, ATTACHMENT_SELECT "WHERE a.no = $1")
QUERY(ATTACHMENT_LIST, ATTACHMENT_SELECT "WHERE a.record = $1 AND ($2 = 1 OR a.detached_ms = 0) ORDER BY a.no")
QUERY(ATTACHMENT_DETACH, "UPDATE attachment SET detached_ms = $2 WHERE no = $1")
QUERY(ATTACHMENT_DROP, "DELETE FROM attachment WHERE record = $1")
QUERY(ATTACHMENT_MOVE, "UPDATE attachment SET record = $2 WHERE record = $1")
QUERY(ATTACHMENT_PURGE, "DELETE FROM attachment WHERE (detached_ms > 0 AND detached_ms < $1)"
                        " OR NOT EXISTS (SELECT 1 FROM record r WHERE r.id = attachment.record)")
QUERY(ATTACHMENT_PURGE_PARTS, "DELETE FROM attachment_part WHERE NOT EXISTS (SELECT 1 FROM attachment a WHERE a.body = attachment_part.body)")
QUERY(ATTACHMENT_PURGE_BODIES, "DELETE FROM attachment_body WHERE NOT EXISTS (SELECT 1 FROM attachment a WHERE a.body = attachment_body.no)")
#define RELATION_IS "kind = $2 AND ((record = $1 AND other = $3) OR ($4 = 1 AND record = $3 AND other = $1))"
QUERY(RELATION_FIND, "SELECT no FROM relation WHERE " RELATION_IS)
QUERY(RELATION_ADD, "INSERT INTO relation(record, kind, other, created_ms) VALUES ($1, $2, $3, $4)")
QUERY(RELATION_REMOVE, "DELETE FROM relation WHERE " RELATION_IS)
QUERY(RELATION_LIST, "SELECT l.no AS no, l.kind AS kind, 0 AS back, l.other AS other, r.title AS title FROM relation l"
                     " JOIN record r ON r.id = l.other WHERE l.record = $1 AND r.deleted = 0"
                     " UNION ALL SELECT l.no, l.kind, 1, l.record, r.title FROM relation l"
                     " JOIN record r ON r.id = l.record WHERE l.other = $1 AND r.deleted = 0 ORDER BY kind, title, no")
QUERY(RELATION_MOVE, "UPDATE relation SET record = $2 WHERE record = $1 AND other <> $2"
                     " AND NOT EXISTS (SELECT 1 FROM relation o WHERE o.record = $2 AND o.kind = relation.kind AND o.other = relation.other)")
QUERY(RELATION_MOVE_OTHER, "UPDATE relation SET other = $2 WHERE other = $1 AND record <> $2"
                           " AND NOT EXISTS (SELECT 1 FROM relation o WHERE o.record = relation.record AND o.kind = relation.kind"
                           " AND o.other = $2)")
QUERY(RELATION_DROP, "DELETE FROM relation WHERE record = $1 OR other = $1")
QUERY(RELATION_PURGE, "DELETE FROM relation WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.id = relation.record)"
                      " OR NOT EXISTS (SELECT 1 FROM record r WHERE r.id = relation.other)")

/* archive */
QUERY(ARCHIVE_REMOVE, "DELETE FROM archive WHERE no = $1")
QUERY(ARCHIVE_PUT, "INSERT INTO archive(run, link, side, id, title, reason, time_ms, after, size_bytes, body)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING no")
QUERY(ARCHIVE_AFTER, "UPDATE archive SET after = $2 WHERE no = $1")
#define ARCHIVE_COLUMNS "no, run, link, side, id, title, reason, time_ms, after, size_bytes"
QUERY(ARCHIVE_ALL, "SELECT " ARCHIVE_COLUMNS " FROM archive ORDER BY no DESC")
QUERY(ARCHIVE_OF_RUN, "SELECT " ARCHIVE_COLUMNS " FROM archive WHERE run = $1 ORDER BY no DESC")
QUERY(ARCHIVE_OF_ID, "SELECT " ARCHIVE_COLUMNS " FROM archive WHERE id = $1 ORDER BY no DESC")
QUERY(ARCHIVE_GET, "SELECT " ARCHIVE_COLUMNS ", body FROM archive WHERE no = $1")
QUERY(ARCHIVE_PURGE_COUNT, "SELECT count(*) FROM archive WHERE time_ms < $1 AND (CAST($2 AS TEXT) IS NULL OR link = $2)")
QUERY(ARCHIVE_PURGE, "DELETE FROM archive WHERE time_ms < $1 AND (CAST($2 AS TEXT) IS NULL OR link = $2)")

/* one person everywhere (subject.c) */
QUERY(SUBJECT_TITLES, "SELECT title FROM archive WHERE title IS NOT NULL UNION SELECT title FROM run_operation WHERE title IS NOT NULL"
                      " UNION SELECT contact FROM run_conflict WHERE contact IS NOT NULL UNION SELECT title FROM run_problem"
                      " WHERE title IS NOT NULL UNION SELECT other FROM run_problem WHERE other IS NOT NULL"
                      " UNION SELECT title_a FROM review WHERE title_a IS NOT NULL UNION SELECT title_b FROM review"
                      " WHERE title_b IS NOT NULL UNION SELECT title FROM pending WHERE title IS NOT NULL UNION SELECT f.contact FROM followup f"
                      " WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.id = f.record)")
QUERY(SUBJECT_IDS_OF_TITLE, "SELECT id FROM archive WHERE title = $1 UNION SELECT id FROM run_operation WHERE title = $1 AND id IS NOT NULL"
                            " UNION SELECT id FROM run_conflict WHERE contact = $1 AND id IS NOT NULL"
                            " UNION SELECT id FROM pending WHERE title = $1")
QUERY(SUBJECT_PARTNERS, "SELECT id_b FROM journal WHERE id_a = $1 AND id_b IS NOT NULL UNION SELECT id_a FROM journal WHERE id_b = $1"
                        " AND id_a IS NOT NULL")
/* place as enum subject_place, id, title, where, time, run, row, text */
QUERY(SUBJECT_TRACES,
      "SELECT 2, a.id, a.title, a.link, a.time_ms, a.run, a.no, NULL FROM archive a WHERE a.id = $1 OR a.title = $2"
      " UNION ALL SELECT 3, o.id, o.title, r.link, r.started_ms, o.run, o.no, NULL FROM run_operation o JOIN run r ON r.no = o.run"
      " WHERE (o.id = $1 OR o.title = $2) AND o.title IS NOT NULL"
      " UNION ALL SELECT 4, c.id, c.contact, r.link, r.started_ms, c.run, c.no,"
      " c.field || ': ' || COALESCE(c.value_a, '') || ' / ' || COALESCE(c.value_b, '') FROM run_conflict c JOIN run r ON r.no = c.run"
      " WHERE c.id = $1 OR c.contact = $2"
      " UNION ALL SELECT 5, COALESCE(p.id_a, p.id_b), p.title, r.link, r.started_ms, p.run, p.no, p.reason FROM run_problem p"
      " JOIN run r ON r.no = p.run WHERE p.id_a = $1 OR p.id_b = $1 OR p.title = $2 OR p.other = $2"
      " UNION ALL SELECT 5, COALESCE(v.id_a, v.id_b), v.title_a, n.name, v.time_ms, 0, -v.no, v.reason FROM review v"
      " JOIN name n ON n.no = v.link WHERE v.id_a = $1 OR v.id_b = $1 OR v.title_a = $2 OR v.title_b = $2"
      " UNION ALL SELECT 5, w.id, w.title, n.name, w.first_seen_ms, 0, 0, w.text FROM pending w"
      " JOIN name n ON n.no = w.link WHERE w.id = $1 AND w.title IS NOT NULL"
      " UNION ALL SELECT 6, COALESCE(j.id_a, j.id_b), NULL, n.name, 0, 0, j.no, NULL FROM journal j JOIN name n ON n.no = j.link"
      " WHERE j.id_a = $1 OR j.id_b = $1"
      " UNION ALL SELECT 7, f.record, f.contact, NULL, f.created_ms, 0, f.no, f.due || ' ' || f.text FROM followup f WHERE f.record = $1"
      " OR (f.contact = $2 AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = f.record))"
      " UNION ALL SELECT 8, a.record, NULL, NULL, a.created_ms, 0, a.no, a.name || ' (' || a.media_type || ')' FROM attachment a"
      " WHERE a.record = $1"
      " UNION ALL SELECT 9, l.record, NULL, NULL, l.created_ms, 0, l.no, l.kind || ' ' || l.other FROM relation l"
      " WHERE l.record = $1 OR l.other = $1"
      " UNION ALL SELECT 10, s.id, s.title, n.name, 0, 0, 0, s.body FROM pushed s JOIN name n ON n.no = s.link"
      " WHERE s.source = $1 OR s.id = $1")
QUERY(SUBJECT_ERASE_RECORD, "UPDATE record SET body = '', title = NULL, uid = $2 WHERE id = $1")
QUERY(SUBJECT_ERASE_ARCHIVE, "DELETE FROM archive WHERE id = $1")
QUERY(SUBJECT_ERASE_PROVENANCE, "DELETE FROM provenance WHERE id = $1")
QUERY(SUBJECT_ERASE_OPERATIONS, "UPDATE run_operation SET title = NULL WHERE id = $1")
QUERY(SUBJECT_ERASE_CONFLICTS, "DELETE FROM run_conflict WHERE id = $1")
QUERY(SUBJECT_ERASE_PROBLEMS, "DELETE FROM run_problem WHERE id_a = $1 OR id_b = $1")
QUERY(SUBJECT_ERASE_REVIEWS, "DELETE FROM review WHERE id_a = $1 OR id_b = $1")
QUERY(SUBJECT_ERASE_PENDING, "UPDATE pending SET title = NULL, text = NULL WHERE id = $1")
/* Of contacts that are no more: another one of that name keeps its own. */
QUERY(SUBJECT_ERASE_FOLLOWUPS_TITLE, "DELETE FROM followup WHERE contact = $1"
                                     " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = followup.record)")
QUERY(SUBJECT_ERASE_ARCHIVE_TITLE, "DELETE FROM archive WHERE title = $1")
QUERY(SUBJECT_ERASE_OPERATIONS_TITLE, "UPDATE run_operation SET title = NULL WHERE title = $1")
QUERY(SUBJECT_ERASE_CONFLICTS_TITLE, "DELETE FROM run_conflict WHERE contact = $1")
QUERY(SUBJECT_ERASE_PROBLEMS_TITLE, "DELETE FROM run_problem WHERE title = $1 OR other = $1")
QUERY(SUBJECT_ERASE_REVIEWS_TITLE, "DELETE FROM review WHERE title_a = $1 OR title_b = $1")
QUERY(SUBJECT_ERASE_PENDING_TITLE, "UPDATE pending SET title = NULL, text = NULL WHERE title = $1")
/* A title stands in quotes in a sentence (fault_text). */
QUERY(SUBJECT_ERASE_FAULTS, "UPDATE run SET fault = replace(fault, '\"' || $1 || '\"', '(erased)') WHERE fault IS NOT NULL")

/* runs */
QUERY(RUN_START, "INSERT INTO run(link, cause, status, started_ms, finished_ms, requests, bytes_in, bytes_out, n_conflicts, n_problems,"
                 " n_operations, fault_code, name_a, name_b) VALUES ($1, $2, $6, $3, 0, 0, 0, 0, 0, 0, 0, 0, $4, $5) RETURNING no")
QUERY(RUN_RESUME, "UPDATE run SET cause = $2, status = 'running', started_ms = $3, name_a = $4, name_b = $5 WHERE no = $1")
QUERY(RUN_FINISH, "UPDATE run SET status = $2, plan = $3, finished_ms = $4, counts_a = $5, counts_b = $6, requests = $7, bytes_in = $8,"
                  " bytes_out = $9, held = $10, fault = $11, fault_code = $12,"
                  " n_conflicts = (SELECT count(*) FROM run_conflict WHERE run = $1),"
                  " n_problems = (SELECT count(*) FROM run_problem WHERE run = $1),"
                  " n_operations = (SELECT count(*) FROM run_operation WHERE run = $1) WHERE no = $1")
QUERY(RUN_UNDER_WAY, "SELECT no FROM run WHERE link = $1 AND status = 'running'")
QUERY(RUN_DROP, "DELETE FROM run WHERE no = $1")
QUERY(OPEN_MATTERS, "SELECT (SELECT count(*) FROM held WHERE approved = 0), (SELECT count(*) FROM pending), (SELECT count(*) FROM intent),"
                    " (SELECT count(*) FROM run_conflict WHERE seen = 0)")
#define RUN_COLUMNS                                                                                                                    \
    "no, link, cause, status, plan, started_ms, finished_ms, counts_a, counts_b, requests, bytes_in, bytes_out, n_conflicts,"         \
    " n_problems, n_operations, held, fault, fault_code, name_a, name_b"
QUERY(RUN_LIST, "SELECT " RUN_COLUMNS " FROM run WHERE $1 IS NULL OR link = $1 ORDER BY no DESC LIMIT $2")
QUERY(RUN_GET, "SELECT " RUN_COLUMNS " FROM run WHERE no = $1")
QUERY(RUN_PURGE_COUNT, "SELECT count(*) FROM run WHERE started_ms < $1 AND no NOT IN (SELECT run FROM run_conflict WHERE seen = 0)")
QUERY(RUN_PURGE, "DELETE FROM run WHERE started_ms < $1 AND no NOT IN (SELECT run FROM run_conflict WHERE seen = 0)")
QUERY(PROVENANCE_PUT, "INSERT INTO provenance(link, side, id, element, value, run) VALUES ($1, $2, $3, $4, $5, $6)"
                      " ON CONFLICT(link, side, id, element, value) DO UPDATE SET run = excluded.run")
QUERY(PROVENANCE_GET, "SELECT run FROM provenance WHERE link = $1 AND side = $2 AND id = $3 AND element = $4 AND value = $5")
QUERY(OPERATION_ADD, "INSERT INTO run_operation(run, op, side, title, id, rule, other, content, archived)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
#define OPERATION_COLUMNS "op, side, title, id, rule, other, content, archived"
QUERY(OPERATION_LIST, "SELECT " OPERATION_COLUMNS " FROM run_operation WHERE run = $1 ORDER BY no")
QUERY(OPERATION_OF_ID, "SELECT " OPERATION_COLUMNS ", run FROM run_operation WHERE id = $1 OR other = $1 ORDER BY run DESC, no")
QUERY(CONFLICT_ADD, "INSERT INTO run_conflict(run, id, contact, field, value_a, value_b, winner, rule, seen)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) RETURNING no")
#define CONFLICT_COLUMNS                                                                                                               \
    "c.no, c.id, c.contact, c.field, c.value_a, c.value_b, c.winner, c.rule, c.seen, c.run, r.started_ms, r.link"                     \
    " FROM run_conflict c JOIN run r ON r.no = c.run "
QUERY(CONFLICT_LIST, "SELECT " CONFLICT_COLUMNS "WHERE c.run = $1 ORDER BY c.no")
QUERY(CONFLICT_OF_LINK, "SELECT " CONFLICT_COLUMNS "WHERE ($1 IS NULL OR r.link = $1) AND ($2 = 0 OR c.seen = 0) ORDER BY c.no DESC")
QUERY(CONFLICT_OF_ID, "SELECT " CONFLICT_COLUMNS "WHERE c.id = $1 ORDER BY c.run DESC, c.no")
QUERY(CONFLICT_GET, "SELECT " CONFLICT_COLUMNS "WHERE c.no = $1")
QUERY(CONFLICT_READ, "UPDATE run_conflict SET seen = 1 WHERE no = $1")
QUERY(CONFLICT_REMOVE, "DELETE FROM run_conflict WHERE no = $1")
QUERY(CONFLICT_SEEN, "UPDATE run_conflict SET seen = 1 WHERE seen = 0 AND ($1 IS NULL OR run IN (SELECT no FROM run WHERE link = $1))")
QUERY(PROBLEM_ADD, "INSERT INTO run_problem(run, kind, side, id_a, id_b, title, other, code, reason)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
QUERY(PROBLEM_LIST, "SELECT kind, side, id_a, id_b, title, other, code, reason FROM run_problem WHERE run = $1 ORDER BY no")

package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// migrations bring the schema up to date, one after the other, each in its own
// transaction with its number. Append only.
var migrations = []string{
	// 1: events as they came, positions of the streams, messages we can't read.
	`CREATE TABLE events_raw (
		id UUID, time TIMESTAMP NOT NULL, type VARCHAR, owner VARCHAR,
		package_id VARCHAR, package VARCHAR, package_type VARCHAR, pixel_id VARCHAR, pixel VARCHAR,
		domain VARCHAR, path VARCHAR, reference VARCHAR, version VARCHAR, digest VARCHAR,
		platform VARCHAR, arch VARCHAR, client VARCHAR, client_version VARCHAR,
		user_agent VARCHAR, referer VARCHAR, page VARCHAR, variables MAP(VARCHAR, VARCHAR),
		origin_id UUID, endpoint_id UUID,
		country VARCHAR, state VARCHAR, city VARCHAR, latitude DOUBLE, longitude DOUBLE,
		network_type VARCHAR, asn UINTEGER, company VARCHAR, company_domain VARCHAR, confidence VARCHAR,
		bot BOOLEAN NOT NULL, counted BOOLEAN NOT NULL, status INTEGER, node VARCHAR, region VARCHAR,
		unique_id VARCHAR, origin_host VARCHAR, client_class VARCHAR,
		countable BOOLEAN NOT NULL,
		stream VARCHAR NOT NULL, incarnation UUID NOT NULL, sequence UBIGINT NOT NULL, position INTEGER NOT NULL
	);
	CREATE TABLE offsets (node VARCHAR NOT NULL, incarnation UUID NOT NULL, sequence UBIGINT NOT NULL, updated TIMESTAMP NOT NULL);
	CREATE TABLE unreadable (node VARCHAR NOT NULL, incarnation UUID NOT NULL, sequence UBIGINT NOT NULL, received TIMESTAMP NOT NULL, reason VARCHAR, payload BLOB);
	CREATE VIEW events AS SELECT ` + strings.Join(EventColumns, ", ") + ` FROM events_raw`,
}

// EventColumns are the columns of the view events, in the order of the contract,
// then our additions.
var EventColumns = []string{
	"id", "time", "type", "owner", "package_id", "package", "package_type", "pixel_id", "pixel",
	"domain", "path", "reference", "version", "digest", "platform", "arch", "client", "client_version",
	"user_agent", "referer", "page", "variables", "origin_id", "endpoint_id",
	"country", "state", "city", "latitude", "longitude", "network_type", "asn",
	"company", "company_domain", "confidence", "bot", "counted", "status", "node", "region", "unique_id",
	"origin_host", "client_class",
}

// migrate applies what the database lacks. A database of a later version is
// refused: an older program would write rows that the later one can't trust.
func migrate(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL, applied TIMESTAMP NOT NULL)`); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var version int
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_migrations`).Scan(&version); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if version > len(migrations) {
		return fmt.Errorf("%w: it has version %d, this one knows %d", ErrVersion, version, len(migrations))
	}
	for n := version; n < len(migrations); n++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("migrate to %d: %w", n+1, err)
		}
		_, err = tx.ExecContext(ctx, migrations[n])
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO schema_migrations VALUES (?, now()::TIMESTAMP)`, n+1)
		}
		if err == nil {
			err = tx.Commit()
		} else {
			_ = tx.Rollback() // the error before says more
		}
		if err != nil {
			return fmt.Errorf("migrate to %d: %w", n+1, err)
		}
	}
	return nil
}

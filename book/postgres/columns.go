package postgres

import (
	"jiaozi/book"
)

// The statements of Flush, each over arrays of equal length: one per column.
const (
	putAccounts = `INSERT INTO accounts (part, id, name, normal, currency, never_negative, opened_line, balance, held, line, closed)
		SELECT * FROM unnest($1::smallint[], $2::bytea[], $3::bytea[], $4::smallint[], $5::integer[], $6::boolean[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::boolean[])
		ON CONFLICT (part, id) DO UPDATE SET name = excluded.name, normal = excluded.normal, currency = excluded.currency,
			never_negative = excluded.never_negative, opened_line = excluded.opened_line,
			balance = excluded.balance, held = excluded.held, line = excluded.line, closed = excluded.closed`
	updateAccounts = `UPDATE accounts t SET balance = c.balance, held = c.held, line = c.line, closed = c.closed
		FROM unnest($1::smallint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
			AS c (part, id, balance, held, line, closed)
		WHERE t.part = c.part AND t.id = c.id`
	putRecords = `INSERT INTO records (part, space, key, version, value)
		SELECT * FROM unnest($1::smallint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[])
		ON CONFLICT (part, space, key) DO UPDATE SET version = excluded.version, value = excluded.value`
	putHolds = `INSERT INTO holds (part, id, account, side, currency, "left", expires)
		SELECT * FROM unnest($1::smallint[], $2::bytea[], $3::bytea[], $4::smallint[], $5::integer[], $6::bigint[], $7::bigint[])
		ON CONFLICT (part, id) DO UPDATE SET account = excluded.account, side = excluded.side, currency = excluded.currency,
			"left" = excluded."left", expires = excluded.expires`
	deleteHolds = `DELETE FROM holds t USING unnest($1::smallint[], $2::bytea[]) AS k (part, id)
		WHERE t.part = k.part AND t.id = k.id`
	insertOutbox = `INSERT INTO outbox (part, number, topic, key, body)
		SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])
		ON CONFLICT (part, number) DO NOTHING`
	deleteOutbox = `DELETE FROM outbox WHERE number = ANY ($1::bigint[])`
)

// column makes one array.
func column[T, V any](list []T, of func(*T) V) []V {
	values := make([]V, len(list))
	for i := range list {
		values[i] = of(&list[i])
	}
	return values
}

// fitting is how many rows of a list stay within chunkBytes; at least one.
func fitting[T any](list []T, size func(*T) int) int {
	total := 0
	for i := range list {
		if total += size(&list[i]); total > chunkBytes && i > 0 {
			return i
		}
	}
	return len(list)
}

func accountArrays(list []book.AccountRow) ([]any, int) {
	type a = *book.AccountRow
	return []any{
		column(list, func(r a) int16 { return int16(r.ID.Part()) }),
		column(list, func(r a) []byte { return r.ID[:] }),
		column(list, func(r a) []byte { return []byte(r.Name) }),
		column(list, func(r a) int16 { return int16(r.Normal) }),
		column(list, func(r a) int32 { return int32(r.Currency) }),
		column(list, func(r a) bool { return r.NeverNegative }),
		column(list, func(r a) int64 { return int64(r.Account.Line) }),
		column(list, func(r a) int64 { return int64(r.Balance) }),
		column(list, func(r a) int64 { return int64(r.Held) }),
		column(list, func(r a) int64 { return int64(r.AccountState.Line) }),
		column(list, func(r a) bool { return r.Closed }),
	}, len(list)
}

func stateArrays(list []book.StateRow) ([]any, int) {
	type s = *book.StateRow
	return []any{
		column(list, func(r s) int16 { return int16(r.ID.Part()) }),
		column(list, func(r s) []byte { return r.ID[:] }),
		column(list, func(r s) int64 { return int64(r.Balance) }),
		column(list, func(r s) int64 { return int64(r.Held) }),
		column(list, func(r s) int64 { return int64(r.Line) }),
		column(list, func(r s) bool { return r.Closed }),
	}, len(list)
}

func recordArrays(list []book.RecordRow) ([]any, int) {
	type p = *book.RecordRow
	list = list[:fitting(list, func(r p) int { return len(r.Key.Key) + len(r.Record.Value) })]
	return []any{
		column(list, func(r p) int16 { return int16(r.Key.Part()) }),
		column(list, func(r p) []byte { return []byte(r.Key.Space) }),
		column(list, func(r p) []byte { return []byte(r.Key.Key) }),
		column(list, func(r p) int64 { return int64(r.Record.Version) }),
		column(list, func(r p) []byte { return r.Record.Value }), // nil is NULL: deleted
	}, len(list)
}

func holdArrays(list []book.HoldChange) ([]any, int) {
	type h = *book.HoldChange
	return []any{
		column(list, func(r h) int16 { return int16(r.ID.Part()) }),
		column(list, func(r h) []byte { return r.ID[:] }),
		column(list, func(r h) []byte { return r.Row.Leg.Account[:] }),
		column(list, func(r h) int16 { return int16(r.Row.Leg.Side) }),
		column(list, func(r h) int32 { return int32(r.Row.Leg.Amount.Currency()) }),
		column(list, func(r h) int64 { return int64(r.Row.Leg.Amount.Minor()) }),
		column(list, func(r h) int64 { return r.Row.Expires }),
	}, len(list)
}

func goneArrays(list []book.HoldChange) ([]any, int) {
	parts, ids := idColumns(list, func(h *book.HoldChange) (uint16, []byte) { return h.ID.Part(), h.ID[:] })
	return []any{parts, ids}, len(list)
}

func outboxArrays(list []book.Pending) ([]any, int) {
	type p = *book.Pending
	list = list[:fitting(list, func(r p) int { return len(r.Key) + len(r.Body) })]
	return []any{
		column(list, func(r p) int16 { return int16(r.Part) }),
		column(list, func(r p) int64 { return int64(r.Number) }),
		column(list, func(r p) []byte { return []byte(r.Topic) }),
		column(list, func(r p) []byte { return bytesOf(r.Key) }),
		column(list, func(r p) []byte { return bytesOf(r.Body) }),
	}, len(list)
}

func doneArrays(list []uint64) ([]any, int) {
	return []any{column(list, func(n *uint64) int64 { return int64(*n) })}, len(list)
}

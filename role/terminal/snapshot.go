package terminal

import (
	"slices"

	"jiaozi/wire/purse"
)

// snapshot gives the shortest journal that adds up to the same state.
func (s *state) snapshot() []entry {
	batch := s.batch
	if s.closing != nil {
		batch = s.closing.Batch
	}
	out := []entry{s.identity, reserved{s.reserved}}
	if batch != firstBatch {
		out = append(out, renumbered{batch})
	}
	if len(s.list) > 0 {
		out = append(out, listed{s.list})
	}
	out = s.snapshotOutbox(out)
	out = s.snapshotLeft(out, batch)
	if s.closing != nil {
		out = s.snapshotSales(out, s.closing.Batch)
		out = append(out, *s.closing)
	}
	out = s.snapshotSales(out, s.batch)
	for _, p := range s.pending {
		out = append(out, p)
	}
	return append(out, said{})
}

// snapshotOutbox writes each item as its first stage and, if it is further, the
// present one: apply lets no load start in the middle.
func (s *state) snapshotOutbox(out []entry) []entry {
	for _, item := range s.outbox {
		if item.Stage != stageReverse {
			first := item
			first.Stage, first.Message = stageReverse, nil
			out = append(out, first)
		}
		out = append(out, item)
	}
	return out
}

// snapshotLeft writes the refused sales of batches that are gone.
func (s *state) snapshotLeft(out []entry, oldest uint32) []entry {
	for _, x := range s.sales {
		if b := x.record.Batch; b != oldest && b != s.batch {
			out = append(out, left{x.record, x.recovered, x.refused})
		}
	}
	return out
}

// snapshotSales writes the records of one batch, each behind its pending.
func (s *state) snapshotSales(out []entry, batch uint32) []entry {
	for _, x := range s.sales {
		if x.record.Batch != batch {
			continue
		}
		out = append(out, pended{Record: bare(x.record)})
		if x.record.Flag == purse.None {
			out = append(out, sold{x.record, x.recovered})
		} else {
			out = append(out, flagged{x.record})
		}
		if x.refused != "" {
			out = append(out, refused{traceOf(&x.record), x.refused})
		}
		if x.acked {
			out = append(out, acked{traceOf(&x.record)})
		}
	}
	return slices.Clip(out)
}

// bare is a record as it stood while pending.
func bare(r purse.Record) purse.Record {
	r.Flag = purse.None
	if !r.HasCryptogram() {
		r.Flag = purse.NoCryptogram
	}
	return r
}

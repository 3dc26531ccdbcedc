package book

import "context"

type Report struct {
	Head     Head
	Entries  uint64
	Findings []Finding
}

func Verify(ctx context.Context, e Evidence) (Report, error) { return Report{}, nil }

package book

import "fmt"

// Finding is one thing that is not as it must be.
type Finding struct {
	Code  string // stable
	Where string // a row, an entry, an account, a place in a file
	What  string
}

func (f Finding) String() string { return fmt.Sprintf("%s: %s: %s", f.Code, f.Where, f.What) }

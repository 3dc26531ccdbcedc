package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/book/sqlite"
	"jiaozi/internal/pgserver"
	"jiaozi/sim/bench/load"
	"jiaozi/value/lang"

	"github.com/spf13/cobra"
)

func benchBookCommand() *cobra.Command {
	var out output
	var data string
	o := load.Options{Engines: engines(), Scale: load.Full()}
	cmd := &cobra.Command{
		Use:   "book",
		Short: "Measure the book under full load, each figure beside its limit",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return classify(runBenchBook(cmd.Context(), cmd.OutOrStdout(), data, o, out))
		},
	}
	outputFlags(cmd, &out)
	cmd.Flags().BoolVar(&o.Long, "long", false, "also 50 million once-keys, a crash with 10 million entries, and ten minutes without a pause: about an hour, 40 GB of disk, 8 GB of memory")
	cmd.Flags().StringVar(&o.DSN, "dsn", "", "an empty PostgreSQL database to fill; without it a server is started for the run, if there is one")
	cmd.Flags().StringVar(&data, "data", "", "folder on the disk that is measured (default: that of TMPDIR)")
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "measure only some: "+strings.Join(load.Stages(), ", "))
	cmd.AddCommand(benchChildCommand())
	return cmd
}

// benchChildCommand is what a run starts when it needs a second process.
func benchChildCommand() *cobra.Command {
	return &cobra.Command{
		Use: "child", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return classify(load.Child(cmd.Context(), engines(), cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
}

// runBenchBook measures in a directory of its own, which it removes.
func runBenchBook(ctx context.Context, w io.Writer, data string, o load.Options, out output) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bench book: %w", err)
	}
	o.Child = []string{self, "bench", "book", "child"}
	if o.Dir, err = benchDir(data); err != nil {
		return fmt.Errorf("bench book: %w", err)
	}
	defer os.RemoveAll(o.Dir)
	return load.Run(ctx, o, func(f load.Figure) error { return printLoad(w, f, out) })
}

// printLoad shows a figure, with what was asked of it.
func printLoad(w io.Writer, f load.Figure, out output) error {
	if out.json() {
		return line(w, f)
	}
	const nameColumns = 22
	text := lang.Pad(f.Name, nameColumns)
	if f.Missing != "" {
		_, err := fmt.Fprintf(w, "%s %s\n", text, lang.Text{EN: "not measured: ", ZH: "未测量："}.In(out.lang)+f.Missing)
		return err
	}
	text += fmt.Sprintf(" %9s/s  %s %9s/s  %s %5s  %6s us", load.Significant(f.Ops), lang.Text{EN: "limit", ZH: "极限"}.In(out.lang),
		load.Significant(f.Limit), lang.Text{EN: "ratio", ZH: "比值"}.In(out.lang), load.Significant(f.Ratio()), load.Significant(f.CPU))
	if f.Most > 0 {
		text += lang.Text{EN: "  at most ", ZH: "  至多 "}.In(out.lang) + load.Significant(f.Most)
	}
	if f.Gate > 0 {
		text += lang.Text{EN: "  gate ", ZH: "  门槛 "}.In(out.lang) + load.Significant(f.Gate)
	}
	if f.Aim > 0 {
		text += lang.Text{EN: "  aim ", ZH: "  目标 "}.In(out.lang) + load.Significant(f.Aim)
	}
	for _, e := range f.More {
		text += "  " + e.String()
	}
	if !f.Passes() {
		text += lang.Text{EN: "  MISSED", ZH: "  未达标"}.In(out.lang)
	}
	_, err := fmt.Fprintf(w, "%s  %s\n", text, f.About.In(out.lang))
	return err
}

// engines are the stores that the book has.
func engines() load.Engines {
	return load.Engines{
		SQLite: func(ctx context.Context, path string) (load.Store, error) {
			e, err := sqlite.Open(path)
			if err != nil {
				return nil, err
			}
			return opened(ctx, e)
		},
		Postgres: func(ctx context.Context, dsn string) (load.Store, error) {
			e, err := postgres.Open(ctx, dsn, postgres.Options{})
			if err != nil {
				return nil, err
			}
			return opened(ctx, e)
		},
		Server: privateServer,
	}
}

// privateServer starts the PostgreSQL of this machine, for a run alone.
func privateServer() (dsn string, stop func() error, err error) {
	if _, err := pgserver.Programs(); err != nil {
		return "", nil, fmt.Errorf("%w: %w", load.ErrAbsent, err)
	}
	s, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		return "", nil, err
	}
	return s.DSN(pgserver.Superuser), s.Close, nil
}

// opened is a ledger over an engine, which it owns.
func opened(ctx context.Context, e book.Engine) (load.Store, error) {
	l, err := book.Open(ctx, e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return l, nil
}

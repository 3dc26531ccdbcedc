package main

import (
	"context"
	"fmt"
	"io"

	"jiaozi/node"

	"github.com/spf13/cobra"
)

func bookCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "book", Short: "Export, import, back up, restore and rebuild the book"}
	cmd.AddCommand(bookExportCommand(), bookImportCommand(), bookBackupCommand(), bookRestoreCommand(), bookRebuildCommand())
	return cmd
}

func bookExportCommand() *cobra.Command {
	var from uint64
	cmd := bookVerb("export FILE", "Write the journal as text, one JSON object a line (- is standard output); may run beside up",
		func(ctx context.Context, o node.Options, file string, out io.Writer) (*node.BookReport, error) {
			if file == "-" {
				_, err := node.ExportBook(ctx, o, out, from)
				return nil, err
			}
			report, err := node.ExportBookTo(ctx, o, file, from)
			return &report, err
		})
	cmd.Flags().Uint64Var(&from, "from", 0, "first batch, to continue an earlier export (default: all)")
	return cmd
}

func bookImportCommand() *cobra.Command {
	var check bool
	cmd := bookVerb("import FILE", "Append what the book lacks of an export; run it again if it was interrupted",
		func(ctx context.Context, o node.Options, file string, _ io.Writer) (*node.BookReport, error) {
			if check {
				report, err := node.CheckArchive(ctx, file)
				return &report, err
			}
			report, err := node.ImportBook(ctx, o, file)
			return &report, err
		})
	cmd.Flags().BoolVar(&check, "check", false, "only read the file and check every hash in it")
	return cmd
}

func bookBackupCommand() *cobra.Command {
	return bookVerb("backup FILE", "Copy the book to a new file; may run beside up",
		func(ctx context.Context, o node.Options, file string, _ io.Writer) (*node.BookReport, error) {
			report, err := node.BackupBook(ctx, o, file)
			return &report, err
		})
}

func bookRestoreCommand() *cobra.Command {
	return bookVerb("restore FILE", "Put a backup in the place of a book that is gone, and compare it with the last checkpoint",
		func(ctx context.Context, o node.Options, file string, _ io.Writer) (*node.BookReport, error) {
			report, err := node.RestoreBook(ctx, o, file)
			return &report, err
		})
}

func bookRebuildCommand() *cobra.Command {
	cmd := bookVerb("rebuild", "Make the book's tables and index anew from its journal",
		func(ctx context.Context, o node.Options, _ string, _ io.Writer) (*node.BookReport, error) {
			report, err := node.RebuildBook(ctx, o)
			return &report, err
		})
	cmd.Args = cobra.NoArgs
	return cmd
}

// bookVerb is what all of them have in common: a directory, at most one file, and
// a report unless the answer is on standard output already.
func bookVerb(use, short string, run func(ctx context.Context, o node.Options, file string, out io.Writer) (*node.BookReport, error)) *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if len(args) > 0 {
				file = args[0]
			}
			report, err := run(cmd.Context(), data.options(), file, cmd.OutOrStdout())
			if err != nil || report == nil {
				return classify(err)
			}
			return printBook(cmd.OutOrStdout(), report, out)
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

func printBook(w io.Writer, r *node.BookReport, out output) error {
	if out.json() {
		return line(w, r)
	}
	rows := [][]string{{"batches", fmt.Sprint(r.Batches)}, {"head", r.Head}}
	if r.Entries > 0 {
		rows = append(rows, []string{"entries", fmt.Sprint(r.Entries)})
	}
	if r.Appended > 0 {
		rows = append(rows, []string{"appended", fmt.Sprint(r.Appended)})
	}
	if r.SignedTo != "" {
		rows = append(rows, []string{"checkpoint", r.SignedTo})
	}
	return table(w, rows)
}

// Command jiaozi runs electronic cash and card payment: one binary from the
// chip card's bytes to the settled ledger.
//
// Each subcommand has one file here and no logic of its own: it reads flags,
// calls a room of the house and prints what came back. Start with `jiaozi demo`.
//
// Exit codes: 0 done, 2 wrong use or input, 3 declined, 4 a server cannot be
// reached, 5 integrity (a book, file or card does not add up).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The program's exit codes.
const (
	exitUsage       = 2
	exitDeclined    = 3
	exitUnreachable = 4
	exitIntegrity   = 5
)

// exitError carries the exit code that an error asks for.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return e.err.Error() }
func (e exitError) Unwrap() error { return e.err }

// failWith makes err end the program with code; nil stays nil.
func failWith(code int, err error) error {
	if err == nil {
		return nil
	}
	return exitError{code, err}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "jiaozi:", err)
	os.Exit(exitCode(err))
}

// exitCode is what err ends the program with.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if asked := (exitError{}); errors.As(err, &asked) {
		return asked.code
	}
	return exitUsage
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "jiaozi",
		Short:         "Electronic cash and card payment that anyone can run",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(initCommand(), demoCommand(), upCommand(), auditCommand(), explainCommand(), posCommand(),
		cardCommand(), accountCommand(), terminalCommand(), benchCommand(), dayCommand(),
		mintCommand(), walletCommand(), coinCommand(), bookCommand(), shardsCommand(), checkpointCommand(), proveCommand(), verifyCommand())
	return root
}

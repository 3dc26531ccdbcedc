package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"jiaozi/node"
	"jiaozi/value/ident"

	"github.com/spf13/cobra"
)

func terminalCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "terminal", Short: "Register and list points of sale"}
	cmd.AddCommand(terminalAddCommand(), terminalListCommand())
	return cmd
}

func terminalAddCommand() *cobra.Command {
	var data dataFlags
	var out output
	var spec node.TerminalSpec
	var tmk string
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Register a point of sale, and its merchant if it is new",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := readKey(tmk)
			if err != nil {
				return err
			}
			var done node.TerminalAdded
			if err := node.Admin(cmd.Context(), data.options(), node.AddTerminal{Spec: spec, TMK: key}, &done); err != nil {
				return classify(err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), done)
			}
			return table(cmd.OutOrStdout(), [][]string{
				{"terminal", string(done.TID)}, {"merchant", string(done.MID)}, {"profile", done.Profile}, {"master key check value", done.KCV},
			})
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	flags := cmd.Flags()
	flags.StringVar((*string)(&spec.MID), "mid", "", "merchant id, 15 letters or digits")
	flags.StringVar((*string)(&spec.TID), "tid", "", "terminal id, 8 letters or digits")
	flags.StringVar(&tmk, "tmk", "", "terminal master key: hex, or @FILE that holds hex (cup: 16 bytes 3DES; secure: 16, 24 or 32 bytes AES)")
	flags.StringVar(&spec.Profile, "profile", "secure", "secure (AES-CMAC) or cup (CUP-ECB, compatibility)")
	flags.StringVar(&spec.MerchantName, "name", "", "merchant name on receipts")
	flags.StringVar(&spec.ECLimit, "insert-limit", "", "most that an insert may take offline (default: the scheme's)")
	flags.StringVar(&spec.TapLimit, "tap-limit", "", "most that a tap may take (default: the scheme's)")
	flags.BoolVar(&spec.OfflineOnly, "offline-only", false, "payments are never taken online")
	for _, name := range []string{"mid", "tid", "tmk"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(fmt.Sprint("flag is not defined: ", err))
		}
	}
	return cmd
}

const maxKeyText = 4096

// readKey takes hex, or the hex in @FILE, which keeps the key out of the
// shell's history and the process list.
func readKey(text string) ([]byte, error) {
	if path, ok := strings.CutPrefix(text, "@"); ok {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read master key: %w", err)
		}
		if len(raw) > maxKeyText {
			return nil, errors.New("the master key's file is too long to hold one key in hex")
		}
		text = strings.TrimSpace(string(raw))
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		// The library's error quotes a character of the key.
		return nil, errors.New("the master key is not hex")
	}
	return key, nil
}

func terminalListCommand() *cobra.Command {
	var data dataFlags
	var out output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the registered points of sale",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := node.LoadScheme(data.dir); err != nil {
				return classify(err)
			}
			tids, err := node.ListTerminals(data.dir)
			if err != nil {
				return classify(err)
			}
			return printTerminals(cmd, data.dir, tids, out)
		},
	}
	data.register(cmd)
	outputFlags(cmd, &out)
	return cmd
}

func printTerminals(cmd *cobra.Command, dir string, tids []ident.TID, out output) error {
	rows := [][]string{}
	for _, tid := range tids {
		spec, err := node.LoadTerminal(dir, tid)
		if err != nil {
			return classify(err)
		}
		if out.json() {
			if err := line(cmd.OutOrStdout(), spec); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{string(spec.TID), string(spec.MID), spec.Profile, spec.MerchantName})
	}
	return table(cmd.OutOrStdout(), rows)
}

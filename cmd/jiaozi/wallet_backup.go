package main

import (
	"errors"
	"fmt"
	"os"

	"jiaozi/node"
	"jiaozi/node/durable"

	"github.com/spf13/cobra"
)

func walletBackupCommand() *cobra.Command {
	f := walletFlags{noCard: true}
	var out output
	var path string
	var secret secretFlags
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Write a sealed copy of the wallet, which pays nothing before it has asked the mint",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open()
			if err != nil {
				return classifyWallet(err)
			}
			if err := errors.Join(f.backup(p, path, &secret), p.Close()); err != nil {
				return classifyWallet(err)
			}
			if out.json() {
				return line(cmd.OutOrStdout(), map[string]string{"backup": path})
			}
			return table(cmd.OutOrStdout(), [][]string{{out.say("backup", "备份"), path}})
		},
	}
	f.register(cmd)
	outputFlags(cmd, &out)
	cmd.Flags().StringVar(&path, "out", "", "new file of the backup")
	secret.register(cmd, "backup-", "backup")
	mustHave(cmd, "out")
	return cmd
}

func (f *walletFlags) backup(p *node.Purse, path string, to *secretFlags) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("--out: %s exists; choose another name", path)
	}
	from := &f.secret
	beside := f.file + ".key"
	if to.given() {
		from, beside = to, ""
	}
	secret, err := from.secret(beside, to.given())
	if err != nil {
		return err
	}
	sealed, err := p.Backup(secret)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, sealed, 0o600)
}

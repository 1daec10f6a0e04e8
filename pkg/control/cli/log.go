package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"citygate/pkg/control/api"
	"citygate/pkg/event"
	"citygate/pkg/journal"

	"github.com/spf13/cobra"
)

func (a *App) logCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "log",
		Short: "The durable log behind the events",
	}
	c.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Is the log as it was written: every record, every link of its hash chain",
		Long: `Reads the logs in state_dir/journal, one per class of events, and checks each record against the hash chain. A flipped
bit, a record taken out or put in, and a cut in the middle are found and named with their place. The gateway may run
meanwhile, or be down. Exit code 1 when a log is not as it was written.
What it cannot find: whole records taken off the very end, or a log that was written anew from some point on by someone
who may write there. That takes a copy of the chain's head kept elsewhere.`,
		Example: `  citygate log verify
  citygate log verify --json | jq .classes[].head`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.Paths(cmd.Context(), a.config)
			if err != nil {
				return err
			}
			v, err := verifyLogs(filepath.Join(p.StateDir, "journal"))
			if err != nil {
				return err
			}
			if err := a.show(v, func(w io.Writer) { printVerified(w, v) }); err != nil {
				return err
			}
			if !v.OK {
				return errNo
			}
			return nil
		},
	})
	return c
}

// classNames says what each log holds.
var classNames = map[event.Class]string{
	event.LifeSafety: "life-safety", event.Security: "security", event.Readings: "readings", event.Bulk: "bulk",
}

func verifyLogs(dir string) (api.Verified, error) {
	v := api.Verified{OK: true, Classes: []api.LogVerdict{}}
	if _, err := os.ReadDir(dir); err != nil {
		return v, fmt.Errorf("read the log: %w", err)
	}
	for class := range event.Class(event.Classes) {
		path := filepath.Join(dir, strconv.Itoa(int(class)))
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			continue // no event of this class so far
		}
		rep, err := journal.Verify(path, 0, 0)
		l := api.LogVerdict{Class: classNames[class], Records: rep.Records, First: rep.First, Last: rep.Last, Head: rep.Head}
		var damage *journal.Damage
		if errors.As(err, &damage) {
			l.Error, v.OK = damage.Error(), false
		} else if err != nil {
			return v, fmt.Errorf("verify the log of %s events: %w", l.Class, err)
		}
		v.Records += l.Records
		v.Classes = append(v.Classes, l)
	}
	return v, nil
}

func printVerified(w io.Writer, v api.Verified) {
	var rows [][]string
	for _, l := range v.Classes {
		found := "as it was written"
		if l.Error != "" {
			found = l.Error
		}
		rows = append(rows, []string{l.Class, number(l.Records), number(l.First), number(l.Last), fmt.Sprintf("%.12s", l.Head), found})
	}
	table(w, "CLASS\tRECORDS\tFIRST\tLAST\tHEAD\tFOUND", rows)
}

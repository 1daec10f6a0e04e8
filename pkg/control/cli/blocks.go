package cli

import (
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"time"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) blocksCommand() *cobra.Command {
	list := a.blocksListCommand()
	c := &cobra.Command{
		Use:   "blocks",
		Short: "Pairs that are blocked by hand, over any policy",
		Long: `A block stops all frames between two addresses at once, whatever the policy allows. It outlives restarts and ends by
itself after --for. Without a verb: the list.`,
		Example: `  citygate blocks
  citygate blocks add 10.0.0.11 10.0.0.2 --for 10m --reason "isolate lobby-1"
  citygate blocks lift 10.0.0.11 10.0.0.2`,
		Args: cobra.NoArgs,
		RunE: list.RunE,
	}
	c.AddCommand(list, a.blocksAddCommand(), a.blocksLiftCommand())
	return c
}

func (a *App) blocksListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "The blocks that are in force", Args: cobra.NoArgs,
		Example: "  citygate blocks list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var b api.Blocks
			if err := a.ask(cmd.Context(), "GET", "/v1/blocks", nil, &b); err != nil {
				return err
			}
			return a.show(b, func(w io.Writer) { printBlocks(w, b) })
		},
	}
}

func printBlocks(w io.Writer, b api.Blocks) {
	var rows [][]string
	for _, r := range b.Blocks {
		until := "it is lifted"
		if !r.Until.IsZero() {
			until = clock(r.Until)
		}
		rows = append(rows, []string{r.Src.String(), r.Dst.String(), until, r.By, clock(r.Since), fmt.Sprint(r.Hits), r.Reason})
	}
	table(w, "ADDRESS\tADDRESS\tUNTIL\tBY\tSINCE\tHITS\tREASON", rows)
}

func (a *App) blocksAddCommand() *cobra.Command {
	var duration time.Duration
	var reason string
	c := &cobra.Command{
		Use:     "add ADDRESS ADDRESS",
		Short:   "Block all frames between two addresses, both ways",
		Long:    `The block holds at once, also for flows that are running. --for 0 (the default) lasts until it is lifted.`,
		Example: `  citygate blocks add 10.0.0.11 10.0.0.2 --for 10m --reason "isolate lobby-1"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, dst, err := pair(args)
			if err != nil {
				return err
			}
			if duration < 0 || duration%time.Second != 0 {
				return fmt.Errorf("--for %v is not a whole number of seconds", duration)
			}
			var b api.Block
			req := api.BlockRequest{Src: src, Dst: dst, DurationS: uint32(duration / time.Second), Reason: reason}
			if err := a.ask(cmd.Context(), "POST", "/v1/blocks", req, &b); err != nil {
				return err
			}
			return a.show(b, func(w io.Writer) { printBlocks(w, api.Blocks{Blocks: []api.Block{b}}) })
		},
	}
	c.Flags().DurationVar(&duration, "for", 0, "how `LONG`: 90s, 10m, 24h; 0 = until it is lifted")
	c.Flags().StringVar(&reason, "reason", "", "why, at most 32 bytes, for the list and the audit log")
	return c
}

func (a *App) blocksLiftCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "lift ADDRESS ADDRESS",
		Short:   "Take a block away",
		Example: `  citygate blocks lift 10.0.0.11 10.0.0.2`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, dst, err := pair(args)
			if err != nil {
				return err
			}
			path := "/v1/blocks?src=" + url.QueryEscape(src.String()) + "&dst=" + url.QueryEscape(dst.String())
			var b api.Block
			if err := a.ask(cmd.Context(), "DELETE", path, nil, &b); err != nil {
				return err
			}
			return a.show(b, func(w io.Writer) { fmt.Fprintf(w, "lifted: %v and %v\n", src, dst) })
		},
	}
}

func pair(args []string) (src, dst netip.Addr, err error) {
	if src, err = netip.ParseAddr(args[0]); err != nil {
		return src, dst, fmt.Errorf("first address: %w", err)
	}
	if dst, err = netip.ParseAddr(args[1]); err != nil {
		return src, dst, fmt.Errorf("second address: %w", err)
	}
	return src, dst, nil
}

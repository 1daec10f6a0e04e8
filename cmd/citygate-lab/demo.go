package main

import (
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"citygate/testlab/demo"
)

// scorecard is the demo's result, in the current folder.
const scorecard = "demo/scorecard.json"

// demoCommands are the demo, and what it starts inside its enclave.
func demoCommands() []*cobra.Command {
	return []*cobra.Command{demoCommand(), demoPlayCommand()}
}

func demoCommand() *cobra.Command {
	o := demo.Options{Out: os.Stdout, Err: os.Stderr, Results: scorecard}
	seconds := 8
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play video and attacks through the gateway, and show what became of them",
		Long: `Raises the city in namespaces of its own with the gateway in enforce mode, plays the cameras' video, attacks it from
both sides, kills the gateway, starts it again, and checks what became of all that. On a terminal it shows a live picture.
The scorecard is printed at the end and written to ` + scorecard + `.

Exit codes: 0 all is well, 1 something is not or it was interrupted, 2 it could not start.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Play = []string{playName, "--seconds", strconv.Itoa(max(1, seconds))}
			if code := demo.Show(cmd.Context(), o); code != 0 {
				return exitCode(code)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print the scorecard as JSON, and the progress to standard error")
	cmd.Flags().BoolVar(&o.Plain, "plain", false, "print lines also on a terminal")
	cmd.Flags().IntVar(&seconds, "seconds", seconds, "how long the video plays alone; half of it while the gateway is dead")
	return cmd
}

const playName = "demo-play"

// demoPlayCommand is the inside of the demo: states in JSON on its standard output.
func demoPlayCommand() *cobra.Command {
	var seconds int
	cmd := &cobra.Command{
		Use:    playName,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Play(cmd.Context(), os.Stdout, time.Duration(seconds)*time.Second)
		},
	}
	cmd.Flags().IntVar(&seconds, "seconds", 8, "")
	return cmd
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"citygate/pkg/control/api"

	"github.com/spf13/cobra"
)

func (a *App) policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Check, show, apply and compare policies",
		Long: `The policy is a YAML file: devices, groups, services and what is allowed. What it does not allow is dropped.
A change is checked whole, goes into the kernel in one step and can take itself back.`,
		Example: `  citygate policy check policy.yaml
  citygate policy diff policy.yaml
  citygate policy apply policy.yaml --confirm-within 60s --reason "new camera at the gate"
  citygate policy confirm`,
	}
	c.AddCommand(a.policyCheckCommand(), a.policyShowCommand(), a.policyDiffCommand(), a.policyApplyCommand(), a.policyConfirmCommand())
	return c
}

func (a *App) policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Is a policy right? All errors, with file, line and remedy",
		Long: `Checks the config and a policy: FILE, else the one that the config names; - reads standard input. All errors are
listed as file:line: key: problem (remedy). Needs no running gateway and no root. Exit code 1 when there is an error.`,
		Example: `  citygate policy check
  citygate policy check new.yaml
  citygate policy check -c ./citygate.yaml new.yaml --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			check, err := a.check(cmd.Context(), args)
			if err != nil {
				return err
			}
			if err := a.show(check, func(w io.Writer) { printCheck(w, check) }); err != nil {
				return err
			}
			if !check.OK {
				return errNo
			}
			return nil
		},
	}
}

// check lets citygate-control check the config and a policy. Exit code 1 is an answer too.
func (a *App) check(ctx context.Context, args []string) (api.PolicyCheck, error) {
	var c api.PolicyCheck
	if len(args) == 0 {
		// A config with errors names no policy; the check then lists the errors.
		if p, err := a.Paths(ctx, a.config); err == nil {
			args = []string{p.Policy}
		}
	}
	out, err := a.Control(ctx, a.In, append([]string{"check", "-c", a.config}, args...)...)
	if len(out) == 0 && err != nil {
		return c, err
	}
	if err := json.Unmarshal(out, &c); err != nil {
		return c, fmt.Errorf("read what citygate-control says of the policy: %w", err)
	}
	return c, nil
}

func printCheck(w io.Writer, c api.PolicyCheck) {
	printPolicyErrors(w, c.Errors)
	printWarnings(w, c.Warnings)
	if c.OK {
		fmt.Fprintf(w, "%s is right: %s, %s, %s of 65536\n", c.File, plural(c.Devices, "device"), plural(c.Rules, "rule"), entries(c.Entries))
		return
	}
	fmt.Fprintln(w, plural(len(c.Errors), "error"))
}

func printWarnings(w io.Writer, warnings []string) {
	for _, text := range warnings {
		fmt.Fprintln(w, "warning:", text)
	}
}

func printPolicyErrors(w io.Writer, errs []api.PolicyError) {
	for _, e := range errs {
		fmt.Fprintln(w, e.String())
	}
}

func (a *App) policyShowCommand() *cobra.Command {
	yaml := false
	c := &cobra.Command{
		Use:   "show",
		Short: "The running policy, one readable line per rule",
		Long: `Prints what is in force: devices, groups, services and rules, one line each, and where the policy comes from. The YAML file is
the source; --yaml prints the text that is running, comments and all.`,
		Example: `  citygate policy show
  citygate policy show --yaml > running.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p api.Policy
			if err := a.ask(cmd.Context(), "GET", "/v1/policy", nil, &p); err != nil {
				return err
			}
			return a.show(p, func(w io.Writer) {
				if yaml {
					io.WriteString(w, p.Text)
					return
				}
				printPolicyInfo(w, p.PolicyInfo)
				for _, line := range p.Rendered {
					fmt.Fprintln(w, line)
				}
				printWarnings(w, p.Warnings)
			})
		},
	}
	c.Flags().BoolVar(&yaml, "yaml", false, "print the YAML text")
	return c
}

func (a *App) policyDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff [FILE]",
		Short: "What a policy would change in the running one",
		Long: `Compares FILE (else the policy that the config names; - reads standard input) with the running policy, rule by
rule, in the words of policy show. Exit code 1 when they differ.`,
		Example: `  citygate policy diff new.yaml`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := a.policyRequest(cmd.Context(), args)
			if err != nil {
				return err
			}
			var d api.PolicyDiff
			if err := a.ask(cmd.Context(), "POST", "/v1/policy/diff", req, &d); err != nil {
				return err
			}
			if err := a.show(d, func(w io.Writer) { printDiff(w, d) }); err != nil {
				return err
			}
			if !d.Same {
				return errNo
			}
			return nil
		},
	}
}

func printDiff(w io.Writer, d api.PolicyDiff) {
	for _, c := range d.Changes {
		fmt.Fprintln(w, c.Op, c.Text)
	}
	fmt.Fprintln(w, d.Summary)
}

func (a *App) policyApplyCommand() *cobra.Command {
	var req api.PolicyRequest
	var confirm time.Duration
	c := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Put a policy into force",
		Long: `Checks FILE (else the policy that the config names; - reads standard input) and puts it into the kernel in one step:
no frame is judged by a mix of two policies, and running flows that it still allows lose no frame. A policy with an
error changes nothing.
With --confirm-within it takes itself back unless "citygate policy confirm" comes in time: use it when you might lock
yourself or a video stream out. The applied policy outlives restarts, until the config's policy file changes.`,
		Example: `  citygate policy apply
  citygate policy apply new.yaml --dry-run
  citygate policy apply new.yaml --confirm-within 60s --reason "camera at the gate" && citygate status && citygate policy confirm`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.policyRequest(cmd.Context(), args)
			if err != nil {
				return err
			}
			if confirm < 0 || confirm > 24*time.Hour || confirm%time.Second != 0 {
				return fmt.Errorf("--confirm-within %v is not a whole number of seconds of at most 24h", confirm)
			}
			req.Text, req.File, req.ConfirmWithinS = text.Text, text.File, uint32(confirm/time.Second)
			var r api.PolicyApply
			if err := a.ask(cmd.Context(), "POST", "/v1/policy/apply", req, &r); err != nil {
				return err
			}
			return a.show(r, func(w io.Writer) { printApply(w, r) })
		},
	}
	c.Flags().DurationVar(&confirm, "confirm-within", 0, "go back to the present policy unless confirmed in this `TIME`, such as 60s")
	c.Flags().StringVar(&req.Reason, "reason", "", "why, for the audit log")
	c.Flags().BoolVar(&req.DryRun, "dry-run", false, "check and compare, change nothing")
	return c
}

func printApply(w io.Writer, r api.PolicyApply) {
	printDiff(w, r.Diff)
	printWarnings(w, r.Warnings)
	if !r.Applied {
		fmt.Fprintln(w, "dry run: nothing changed")
		return
	}
	fmt.Fprintf(w, "in force: generation %d, sha256 %.12s\n", r.Policy.Generation, r.Policy.Hash)
	if !r.ConfirmBy.IsZero() {
		fmt.Fprintf(w, "not confirmed: goes back at %s unless: citygate policy confirm\n", clock(r.ConfirmBy))
	}
}

func (a *App) policyConfirmCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "confirm",
		Short:   "Keep the policy that was applied with --confirm-within",
		Example: "  citygate policy confirm",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r api.PolicyApply
			if err := a.ask(cmd.Context(), "POST", "/v1/policy/confirm", struct{}{}, &r); err != nil {
				return err
			}
			return a.show(r, func(w io.Writer) {
				fmt.Fprintf(w, "confirmed: generation %d, sha256 %.12s\n", r.Policy.Generation, r.Policy.Hash)
			})
		},
	}
}

// policyRequest reads a policy's text without looking into it.
func (a *App) policyRequest(ctx context.Context, args []string) (api.PolicyRequest, error) {
	var r api.PolicyRequest
	if len(args) == 0 {
		p, err := a.Paths(ctx, a.config)
		if err != nil {
			return r, err
		}
		args = []string{p.Policy}
	}
	var in io.Reader = a.In
	r.File = "standard input"
	if args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return r, fmt.Errorf("read the policy: %w", err)
		}
		defer f.Close()
		in = f
		if r.File, err = filepath.Abs(args[0]); err != nil {
			return r, fmt.Errorf("read the policy: %w", err)
		}
	}
	var text bytes.Buffer
	n, err := io.Copy(&text, io.LimitReader(in, api.MaxPolicy+1))
	if err != nil {
		return r, fmt.Errorf("read the policy: %w", err)
	}
	if n > api.MaxPolicy {
		return r, errors.New("read the policy: it is larger than 4 MiB")
	}
	r.Text = text.String()
	return r, nil
}

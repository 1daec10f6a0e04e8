package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"citygate/pkg/detect/offline/job"
)

func (a *App) rulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rules",
		Short: "Check, list, explain and test inspection rules",
		Long: `Rules are in Suricata's language. A rule with anything that this engine does not evaluate in full is refused, by the name of
what it is; the rest loads. Needs no gateway and no root. Rules are read in a sandbox.`,
		Example: `  citygate rules check my.rules
  citygate rules list --grep rtsp
  citygate rules show 2100498
  citygate rules test`,
	}
	c.AddCommand(a.rulesCheckCommand(), a.rulesListCommand(), a.rulesShowCommand(), a.rulesTestCommand())
	return c
}

// rulesCheck is what rules check --json prints.
type rulesCheck struct {
	Rules    int           `json:"rules"`
	Loaded   int           `json:"loaded"`
	Skipped  int           `json:"skipped"`
	Replaced int           `json:"replaced"`
	Refused  []job.Refusal `json:"refused"`
	// Untold is how many more are refused than stand in Refused.
	Untold   int           `json:"refused_untold"`
	Keywords []job.Keyword `json:"keywords"`
}

func (a *App) rulesCheckCommand() *cobra.Command {
	var in inputs
	c := &cobra.Command{
		Use:   "check [FILE]...",
		Short: "Which rules load? The others by file, line, sid, keyword and reason",
		Long: `Reads rule files, folders of *.rules or patterns; without one, the rules that ship. What loads is evaluated in full. Exit code 1
when a rule is refused, 2 when a file cannot be read.`,
		Example: `  citygate rules check my.rules
  citygate rules check /etc/rules --json
  citygate rules check emerging.rules --set vars.address-groups.HOME_NET=10.0.0.0/8`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in.rules = args
			answer, err := a.askRules(cmd.Context(), &in, &job.Job{Verb: job.Check, Refusals: maxRefusals})
			if err != nil {
				return err
			}
			l := answer.Rules
			check := rulesCheck{
				Rules: l.Rules, Loaded: l.Loaded, Skipped: l.Skipped, Replaced: l.Replaced, Refused: append([]job.Refusal{}, l.Refusals...),
				Untold: l.Refused - len(l.Refusals), Keywords: append([]job.Keyword{}, l.Keywords...),
			}
			if err := a.show(check, func(w io.Writer) { printRulesCheck(w, check) }); err != nil {
				return err
			}
			if l.Refused > 0 {
				return errNo
			}
			return nil
		},
	}
	in.flags(c)
	return c
}

// printRulesCheck groups the refused rules by keyword, lists them, and ends with the totals.
func printRulesCheck(w io.Writer, c rulesCheck) {
	refused := len(c.Refused) + c.Untold
	if refused > 0 {
		var groups, rows [][]string
		for _, k := range c.Keywords {
			groups = append(groups, []string{k.Name, number(k.Rules)})
		}
		table(w, "KEYWORD\tREFUSED RULES", groups)
		fmt.Fprintln(w)
		for _, r := range c.Refused {
			rows = append(rows, []string{fmt.Sprintf("%s:%d", r.File, r.Line), number(r.SID), r.Keyword, r.Reason})
		}
		table(w, "PLACE\tSID\tKEYWORD\tREASON", rows)
		if c.Untold > 0 {
			fmt.Fprintf(w, "and %d more\n", c.Untold)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s: %d loaded, %d refused", plural(c.Rules, "rule"), c.Loaded, refused)
	if c.Skipped > 0 {
		fmt.Fprintf(w, ", %d that ask not to be taken here (requires)", c.Skipped)
	}
	if c.Replaced > 0 {
		fmt.Fprintf(w, ", %d replaced by a higher revision", c.Replaced)
	}
	fmt.Fprintln(w)
}

// askRules opens the rules of a command and lets the inspector do a job on them.
func (a *App) askRules(ctx context.Context, in *inputs, j *job.Job) (*job.Answer, error) {
	files, err := in.open(j)
	defer files.close()
	if err != nil {
		return nil, err
	}
	return a.do(ctx, j, nil, files.open)
}

func (a *App) rulesListCommand() *cobra.Command {
	var in inputs
	var sids []uint
	j := &job.Job{Verb: job.List, Refusals: maxRefusals}
	c := &cobra.Command{
		Use:   "list",
		Short: "The rules that load, one line each",
		Long: `Lists rules in the order of their files: those that ship, or those of -S. Filters are joined: a rule has to be chosen by all of
them.`,
		Example: `  citygate rules list
  citygate rules list --grep 'rtsp|onvif'
  citygate rules list -S /etc/rules --class trojan-activity --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, n := range sids {
				j.SIDs = append(j.SIDs, uint32(n))
			}
			answer, err := a.askRules(cmd.Context(), &in, j)
			if err != nil {
				return err
			}
			a.printRefusals(answer.Rules, in.verbose)
			list := append([]job.Rule{}, answer.List...)
			return a.show(list, func(w io.Writer) { printRules(w, list) })
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&in.rules, "rules", "S", nil, "rules: a `FILE`, a folder of *.rules or a pattern; repeatable; default: the rules that ship")
	f.UintSliceVar(&sids, "sid", nil, "only the rules with these numbers, separated by commas")
	f.StringVar(&j.Grep, "grep", "", "only rules whose text has this `EXPRESSION`, in any case")
	f.StringVar(&j.Class, "class", "", "only rules of this class: its `NAME`, or a part of its description")
	in.flags(c)
	return c
}

func printRules(w io.Writer, list []job.Rule) {
	rows := make([][]string, len(list))
	for i, r := range list {
		rows[i] = []string{number(r.SID), r.Action, r.Protocol, r.Message, fmt.Sprintf("%s:%d", r.File, r.Line)}
	}
	table(w, "SID\tACTION\tPROTOCOL\tMESSAGE\tPLACE", rows)
}

func (a *App) rulesShowCommand() *cobra.Command {
	var in inputs
	c := &cobra.Command{
		Use:   "show SID",
		Short: "A rule: its text, and in words what it looks at",
		Long: `Prints a rule and what it means: its traffic and direction, what each buffer must have, how often it alerts, and by which bytes
the engine looks for it. Of the rules that ship, or those of -S. Exit code 1 when there is no such rule, or it is refused.`,
		Example: `  citygate rules show 2100498 -S /etc/rules
  citygate rules show 4660001 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sid, err := strconv.ParseUint(args[0], 10, 32)
			if err != nil || sid == 0 {
				return fmt.Errorf("%s is no sid: a rule has a number from 1 to %d", args[0], uint32(1<<32-1))
			}
			answer, err := a.askRules(cmd.Context(), &in, &job.Job{Verb: job.List, SIDs: []uint32{uint32(sid)}, Words: true, Refusals: maxRefusals})
			if err != nil {
				return err
			}
			return a.showRule(uint32(sid), answer)
		},
	}
	c.Flags().StringArrayVarP(&in.rules, "rules", "S", nil, "rules: a `FILE`, a folder of *.rules or a pattern; repeatable; default: the rules that ship")
	in.flags(c)
	return c
}

func (a *App) showRule(sid uint32, answer *job.Answer) error {
	if len(answer.List) == 0 {
		fmt.Fprintf(a.Err, "no rule that loads has the sid %d\n", sid)
		for _, r := range answer.Rules.Refusals {
			if r.SID == sid {
				fmt.Fprintln(a.Err, "refused:", refusalText(r))
			}
		}
		return errNo
	}
	return a.show(answer.List, func(w io.Writer) {
		for i, r := range answer.List {
			if i > 0 {
				fmt.Fprintln(w)
			}
			printRule(w, r)
		}
	})
}

func printRule(w io.Writer, r job.Rule) {
	fmt.Fprintln(w, harmless(r.Text))
	fmt.Fprintln(w)
	rows := [][]string{
		{"message", r.Message},
		{"sid", fmt.Sprintf("%d, revision %d, group %d", r.SID, r.Rev, r.GID)},
		{"class", fmt.Sprintf("%s, priority %d", r.Class, r.Priority)},
		{"place", fmt.Sprintf("%s:%d", r.File, r.Line)},
	}
	for _, word := range r.Words {
		rows = append(rows, []string{word.What, word.Text})
	}
	table(w, "WHAT\tMEANING", rows)
}
